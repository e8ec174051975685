package ledger

import "errors"

// Held keeps the kernel's tracepoints registered. It reads nothing.
type Held struct{ perf *perf }

// Hold is for whoever will open several ledgers: the kernel patches its own
// code when a tracepoint gets its first user, and waits for all processors when
// it loses its last (perf_trace_event_unreg, kernel/trace/trace_event_perf.c),
// some 0.4 s for all, and many seconds in a slow VM. Where there can be no
// ledger the error is an *UnavailableError.
func Hold() (*Held, error) {
	formats, err := readFormats()
	if err != nil {
		return nil, err
	}
	cpus, err := onlineCPUs()
	if err != nil {
		return nil, err
	}
	h := &Held{perf: &perf{}}
	for _, f := range formats {
		if _, err := h.perf.openEvent(cpus[0], f, false, -1); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	return h, nil
}

// Close lets the tracepoints go; on a nil Held it does nothing.
func (h *Held) Close() error {
	if h == nil {
		return nil
	}
	return h.perf.Close()
}
