// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"errors"
	"fmt"

	"skleak/harness/experiment"
	"skleak/harness/ledger"
	"skleak/record"
)

// heldLedger is what all ledgers of a run need.
type heldLedger struct {
	held   *ledger.Held
	wakers wakers
}

// tell says in p what is held.
func (h heldLedger) tell(p *experiment.Place) {
	if h.held != nil {
		p.Probes, p.Unproven = h.held.Probes(), h.held.Unproven
	}
}

func (h heldLedger) Close() error { return errors.Join(h.wakers.Close(), h.held.Close()) }

// holdLedger finds out, once a run, whether there can be a ledger and what of,
// and tells. Where there can be none, none is asked for any more.
func (l *Local) holdLedger() (h heldLedger, notes []string) {
	if l.Options.Ledger == experiment.LedgerOff {
		return h, nil
	}
	var err error
	if h.held, err = ledger.Hold(l.Options.Ledger == experiment.LedgerOn); err == nil {
		h.wakers, err = keepAwake(l.Self, h.held.Unproven)
	}
	if err != nil {
		l.Options.Ledger = experiment.LedgerOff
		return heldLedger{}, []string{"no ledger: " + record.WithHint(errors.Join(err, h.Close()))}
	}
	if h.held.Without != nil {
		notes = append(notes, "the ledger goes by tracepoints alone, without BPF: "+record.WithHint(h.held.Without))
	}
	for _, cpu := range h.held.Blind {
		notes = append(notes, fmt.Sprintf("perf shows nothing of what happens on processor %d while that sleeps: it is kept awake", cpu))
	}
	return h, notes
}
