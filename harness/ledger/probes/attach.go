// SPDX-License-Identifier: GPL-2.0-only

package probes

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"skleak/record"
)

// IDs are the numbers by which another process of root's opens what an
// Attached holds.
type IDs struct {
	Senders uint32 `json:"senders"`
	Losses  uint32 `json:"losses"`
	Reading uint32 `json:"reading"`
}

// Attached holds the programs in the kernel. They do nothing for sockets that
// no Feed owns.
type Attached struct {
	coll  *ebpf.Collection
	links []link.Link
	ids   IDs
}

// optional are the programs on functions that a kernel may be built without:
// CONFIG_NETFILTER and CONFIG_XFRM.
func optional() []string { return []string{bpfProgNfqueue, bpfProgXfrm} }

// Attach loads the programs and attaches them. The kernel patches its code for
// each, which takes tens of milliseconds and more in a slow VM: do it once for
// many experiments. Where it cannot be done the error is a
// *record.UnsupportedError.
func Attach() (a *Attached, err error) {
	spec, err := loadBpf()
	if err != nil {
		return nil, err
	}
	if err := fit(spec); err != nil {
		return nil, err
	}
	// Before 5.11 maps counted as locked memory.
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, explain("lift the limit on locked memory", err)
	}
	a = &Attached{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			a = nil
		}
	}()
	if a.coll, err = ebpf.NewCollection(spec); err != nil {
		return a, explain("load BPF programs", err)
	}
	for _, name := range slices.Sorted(maps.Keys(a.coll.Programs)) {
		p := a.coll.Programs[name]
		if p.Type() != ebpf.Tracing {
			continue
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: p})
		if err != nil {
			return a, explain("attach a BPF program to "+spec.Programs[name].AttachTo, err)
		}
		a.links = append(a.links, l)
	}
	return a, a.number()
}

// fit leaves out what this kernel has no function for.
func fit(spec *ebpf.CollectionSpec) error {
	// Only the declaration of struct event is there.
	delete(spec.Maps, ".bss")
	delete(spec.Variables, bpfVarUnusedEvent)
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return explain("read the kernel's BTF", err)
	}
	for _, name := range optional() {
		var fn *btf.Func
		if err := kernel.TypeByName(spec.Programs[name].AttachTo, &fn); errors.Is(err, btf.ErrNotFound) {
			delete(spec.Programs, name)
		}
	}
	return nil
}

// number finds out the numbers of what is shared.
func (a *Attached) number() error {
	senders, err := mapNumber(a.coll.Maps[bpfMapSenders])
	if err != nil {
		return err
	}
	losses, err := mapNumber(a.coll.Maps[bpfMapLosses])
	if err != nil {
		return err
	}
	info, err := a.coll.Programs[bpfProgReading].Info()
	if err != nil {
		return explain("find out the number of a BPF program", err)
	}
	id, _ := info.ID()
	a.ids = IDs{Senders: senders, Losses: losses, Reading: uint32(id)}
	return nil
}

func mapNumber(m *ebpf.Map) (uint32, error) {
	info, err := m.Info()
	if err != nil {
		return 0, explain("find out the number of a BPF map", err)
	}
	id, _ := info.ID()
	return uint32(id), nil
}

// IDs are what Open takes.
func (a *Attached) IDs() IDs { return a.ids }

// Close takes the programs out of the kernel.
func (a *Attached) Close() error {
	var errs []error
	for _, l := range a.links {
		errs = append(errs, l.Close())
	}
	if a.coll != nil {
		a.coll.Close()
	}
	a.links, a.coll = nil, nil
	return errors.Join(errs...)
}

// explain says what would help. Its error is one line.
func explain(doing string, err error) error {
	hint := "use a kernel from 5.10 on with CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF"
	var verifier *ebpf.VerifierError
	switch {
	case errors.As(err, &verifier):
		// Its log has many lines; the first says what the kernel refused.
		err = verifier.Cause
	case errors.Is(err, os.ErrPermission), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		// The library guesses at locked memory here.
		err, hint = unix.EPERM, "run it with sudo, where kernel and container allow BPF tracing programs"
	}
	return &record.UnsupportedError{Feature: "BPF tracing", Hint: hint, Err: fmt.Errorf("%s: %w", doing, err)}
}
