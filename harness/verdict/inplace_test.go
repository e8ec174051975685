// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"strings"
	"testing"

	"skleak/record"
)

// Where nothing is undone nothing is leaked, and nobody is named but by a ledger
// that accounts for all.
func TestInPlace(t *testing.T) {
	inPlace := func(n int, change ...func(*record.Trace)) record.Trace {
		tr := with(stuck(n), func(t *record.Trace) { t.InPlace, t.Rungs, t.SocketsBefore, t.SocketsAfter = true, nil, -1, -1 })
		for _, c := range change {
			c(&tr)
		}
		return tr
	}
	ledger := func(l record.Ledger) func(*record.Trace) { return func(t *record.Trace) { t.Ledger = &l } }
	tbf := record.LedgerPlace{Place: "qdisc tbf on w0", Count: 128, Charged: true}
	released := func(t *record.Trace) { t.Patience.ReleasedNs, t.Patience.After = 3*second, 0 }
	for _, c := range []struct {
		name     string
		trace    record.Trace
		want     record.Verdict
		holder   string
		released string
	}{
		{"nothing stays", with(quiet(), func(t *record.Trace) { t.InPlace = true }), record.Clean, "", ""},
		{"one packet, no ledger", inPlace(1), record.Held, record.NotKnown, ""},
		{"not writable, no ledger", inPlace(128), record.Stalled, record.NotKnown, ""},
		{"not writable", inPlace(128, ledger(record.Ledger{Places: []record.LedgerPlace{tbf}})), record.Stalled, "qdisc tbf on w0", ""},
		{"time lets go", inPlace(20, released, ledger(record.Ledger{Places: []record.LedgerPlace{tbf}})), record.Held, "qdisc tbf on w0", "time"},
		{"a ledger with gaps", inPlace(128, ledger(record.Ledger{Places: []record.LedgerPlace{tbf}, Incomplete: "3 samples were lost"})), record.Stalled, record.NotKnown, ""},
		{"all refused", with(quiet(), func(t *record.Trace) {
			t.InPlace, t.Sent, t.Refused = true, 0, map[string]int{"EPERM": 160}
		}), record.Refused, "", ""},
		{"below zero", inPlace(128, func(t *record.Trace) { t.Settle.PerSocket[0] = 0xBFFFFFFF }), record.Underflow, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Judge(c.trace)
			if f.Trouble != "" || f.Verdict != c.want || f.ReleasedBy != c.released {
				t.Errorf("%s, released by %q, trouble %q; want %s, %q: %s", f.Verdict, f.ReleasedBy, f.Trouble, c.want, c.released, f.Reason)
			}
			if c.want != record.Underflow && f.Holder != c.holder {
				t.Errorf("holder %q, want %q", f.Holder, c.holder)
			}
			if told := strings.Contains(f.Reason, "nothing was undone"); told != c.want.NeedsHolder() {
				t.Errorf("reason %q", f.Reason)
			}
		})
	}
}

// The same charge where rungs were to be climbed, and none was, is no verdict.
func TestNotInPlace(t *testing.T) {
	f := Judge(with(stuck(128), func(t *record.Trace) { t.Rungs = nil }))
	if f.Trouble == "" {
		t.Errorf("%s by %q: %s", f.Verdict, f.Holder, f.Reason)
	}
}
