// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"os"
	"time"

	"skleak/kernels"
	"skleak/record"
	"skleak/scenarios"
)

// Runner is what runs scenarios inside the guest.
type Runner interface {
	Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error]
}

// DefaultMemory is a guest's memory in MB.
const DefaultMemory = 512

// Deadlines bound a guest.
type Deadlines struct {
	// Boot is from QEMU's start to the first event.
	Boot time.Duration
	// Quiet is the longest a guest may say nothing. It sends a sign of life every
	// two seconds; how long a scenario may take is the guest's own affair.
	Quiet time.Duration
	// Total bounds one guest.
	Total time.Duration
}

// DefaultDeadlines are for a busy machine without KVM, where a boot takes 2 s
// when all is well.
func DefaultDeadlines() Deadlines {
	return Deadlines{Boot: 2 * time.Minute, Quiet: time.Minute, Total: time.Hour}
}

// VM runs scenarios in guests of one kernel.
type VM struct {
	Kernel *kernels.Kernel
	// ConfigSum is the sha256 of the kernel's config, for the report; "" if unknown.
	ConfigSum string
	// Config is that configuration, for the facts in a trace; nil if unknown.
	Config []byte
	// Self is the static binary that becomes /init.
	Self string
	// Options are handed to the guest's runner as they are.
	Options json.RawMessage
	// Accel is AccelTCG or AccelKVM; see Chooser.
	Accel Accel
	// Memory is a guest's in MB; 0 is DefaultMemory.
	Memory int
	// Guests is how many guests may share the scenarios of one Run; 0 is one.
	Guests    int
	Deadlines Deadlines
	// Keep is a folder for the last guest's initramfs, console and QEMU command;
	// "" keeps nothing.
	Keep string
	// Replay is the command that does the same again, for who reads of trouble.
	Replay string
	// Extra maps paths in the guest to files of this machine.
	Extra map[string]string
	// Userland is a tar file with programs for the guest, as kernels.Userland has
	// it; "" is none.
	Userland string
	// all are the scenarios whose modules the guest gets.
	all []scenarios.Scenario
}

// memory is a guest's in MB. A userland takes its size twice on top: once as
// the archive, once unpacked.
func (v VM) memory() int {
	memory := cmp.Or(v.Memory, DefaultMemory)
	if st, err := os.Stat(v.Userland); err == nil {
		memory += int(2 * st.Size() >> 20)
	}
	return memory
}

// initramfs writes what the guest of a request needs.
func (v VM) initramfs(req request, w io.Writer) error {
	if err := checkStatic(v.Self); err != nil {
		return err
	}
	modules, err := loadOrder(v.Kernel, wantedModules(v.all))
	if err != nil {
		return err
	}
	signed, err := v.Kernel.WantsSignatures()
	if err != nil {
		return err
	}
	extra, err := programFiles(wantedPrograms(v.all))
	if err != nil {
		return err
	}
	maps.Copy(extra, v.Extra)
	return initramfs{self: v.Self, modules: modules, signed: signed, request: req, extra: extra, userland: v.Userland}.write(w)
}

// errNoPVH says that QEMU cannot start a kernel.
var errNoPVH = errors.New("it has no PVH entry that QEMU could start it by; build it with CONFIG_PVH=y")

// ready says whether the kernel can be booted at all.
func (v VM) ready() error {
	if !v.Kernel.PVH {
		return &InfraError{Kernel: string(v.Kernel.Name), Err: errNoPVH}
	}
	return nil
}

// Run boots a guest, or several that share list, and runs list there. When a
// guest dies, the scenario under way gets trouble with the kernel's words, and
// the rest goes on in a fresh guest; of several under way each is tried again
// alone, so that only the one to blame is blamed. Its error is a *BootError or
// an *InfraError of a guest that never ran anything, or that of ctx.
func (v VM) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		if err := v.ready(); err != nil {
			yield(record.Event{}, err)
			return
		}
		v.all = list
		s := &session{
			vm: v, yield: yield, todo: deal(list, v.Guests),
			events: make(chan sessionEvent), ends: make(chan guestEnd),
		}
		s.run(ctx)
	}
}

// signed puts the kernel's name where the guest could only say "host".
func (v VM) signed(e record.Event) record.Event {
	if e.Kernel != nil {
		e.Kernel.Source, e.Kernel.Config = string(v.Kernel.Name), v.ConfigSum
	}
	if e.Trace != nil {
		e.Trace.Kernel.Source, e.Trace.Kernel.Config = string(v.Kernel.Name), v.ConfigSum
		v.knowConfig(e.Trace)
	}
	return e
}
