// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"

	"skleak/harness/ledger/probes"
)

// Held keeps the kernel's tracepoints registered and the BPF programs attached.
// It reads nothing.
type Held struct {
	perf        *perf
	idleWatches *idleWatches
	probes      *probes.Attached
	// Without says why there are no BPF programs; nil where there are.
	Without error
	// Unproven are the processors of which perf showed nothing while they slept, or
	// that were too busy to: they must be kept awake while a ledger is open.
	Unproven []int
	// Blind are those of them that slept.
	Blind []int
}

// Hold is for whoever will open several ledgers: the kernel patches its own
// code when a tracepoint gets its first user, and waits for all processors when
// it loses its last (perf_trace_event_unreg, kernel/trace/trace_event_perf.c),
// some 0.4 s for all, and many seconds in a slow VM. BPF programs take as long.
// Where there can be no ledger the error is a *record.UnsupportedError.
func Hold(bpf bool) (*Held, error) {
	formats, err := readFormats()
	if err != nil {
		return nil, err
	}
	cpus, err := onlineCPUs()
	if err != nil {
		return nil, err
	}
	h := &Held{perf: &perf{}}
	for _, w := range tracepoints() {
		f, ok := formats[w.kind]
		if !ok {
			continue
		}
		if _, err := h.perf.openEvent(cpus[0], f, false, -1); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	if h.idleWatches, err = openIdleWatches(cpus, formats); err == nil {
		h.Unproven, h.Blind, err = h.idleWatches.test()
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if bpf {
		h.probes, h.Without = probes.Attach()
	}
	return h, nil
}

// Probes are what Config takes; nil where there are no BPF programs.
func (h *Held) Probes() *probes.IDs {
	if h == nil || h.probes == nil {
		return nil
	}
	ids := h.probes.IDs()
	return &ids
}

// Close lets all go; on a nil Held it does nothing.
func (h *Held) Close() error {
	if h == nil {
		return nil
	}
	err := errors.Join(h.perf.Close(), h.idleWatches.Close())
	if h.probes != nil {
		err = errors.Join(err, h.probes.Close())
	}
	return err
}
