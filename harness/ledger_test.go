// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"skleak/harness/experiment"
	"skleak/harness/verdict"
	"skleak/record"
	"skleak/record/kerneltest"
)

// withLedger runs scenarios of the catalogue with a ledger, and skips where
// there can be none.
func withLedger(t *testing.T, names ...string) map[string]record.Trace {
	t.Helper()
	needRoot(t)
	l := NewLocal()
	l.Options.Ledger = experiment.LedgerOn
	got := traces(t, l, pick(t, names...))
	for name, tr := range got {
		if tr.Ledger == nil {
			kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "5.1", Options: []string{"PERF_EVENTS", "TRACEPOINTS", "EVENT_TRACING"}},
				fmt.Errorf("%s: nobody can follow skbs: see the notes of `skleak run --ledger`", name))
		}
	}
	return got
}

// The ledger names holders without undoing anything, and the ladder agrees.
func TestLedgerNamesTheHolder(t *testing.T) {
	tests := []struct {
		scenario, holder string
		// rung and location are of the frees that let go; the location alone does
		// not always tell the holder.
		rung             record.RungKind
		location, reason string
	}{
		{"vxlan/unresolved", "neighbour 10.9.9.2 on v0", record.RungNeighbour, "neigh_invalidate", "NEIGH_FAILED"},
		{"neigh/unresolved", "neighbour 10.9.9.2 on v0", record.RungNeighbour, "neigh_invalidate", "NEIGH_FAILED"},
		{"hold/tbf", "qdisc tbf on v0", record.RungQdisc, "", ""},
		{"hold/htb", "qdisc htb on v0", record.RungQdisc, "", ""},
		{"hold/nfqueue", "nfqueue 0", record.RungVerdict, "", ""},
		{"hold/far-bridge", "qdisc tbf on w0", record.RungQdisc, "", ""},
		{"hold/two-links", "qdisc tbf on w0", record.RungQdisc, "", ""},
	}
	var names []string
	for _, tt := range tests {
		names = append(names, tt.scenario)
	}
	got := withLedger(t, names...)
	for _, tt := range tests {
		t.Run(tt.scenario, func(t *testing.T) {
			tr := got[tt.scenario]
			if l := tr.Ledger; l.Incomplete != "" || l.Gap != 0 || l.Charge != tr.Settle.Bytes || l.Left == nil || *l.Left != 0 {
				t.Errorf("ledger = %+v", l)
			}
			f := verdict.Judge(tr)
			if f.Holder != tt.holder || f.HolderBy != "ladder and ledger" {
				t.Errorf("holder %q by %q, want %q by both", f.Holder, f.HolderBy, tt.holder)
			}
			if !slices.ContainsFunc(tr.Witness, func(w record.Witness) bool {
				return w.Rung == string(tt.rung) && strings.Contains(w.Location, tt.location) && strings.Contains(w.Reason, tt.reason) && len(w.Chain) > 0
			}) {
				t.Errorf("no witness of %s at %s: %+v", tt.rung, tt.location, tr.Witness)
			}
		})
	}
}

// What holds nothing must show nothing held and nothing left, clones included.
func TestLedgerOfSoundLinks(t *testing.T) {
	for name, tr := range withLedger(t, "veth/same-netns", "bridge/two-ports", "macvlan/bridge", "tun/unread", "hold/nfqueue-no-listener") {
		l := tr.Ledger
		if l.Lost == 0 && (l.Left == nil || *l.Left != 0 || l.Incomplete != "" || l.Unseen != 0) {
			t.Errorf("%s: %+v", name, l)
		}
		for _, p := range l.Places {
			if p.Charged {
				t.Errorf("%s: charged at %+v", name, p)
			}
		}
		if f := verdict.Judge(tr); f.Verdict != record.Clean && f.Verdict != record.Refused {
			t.Errorf("%s: %s: %s", name, f.Verdict, f.Reason)
		}
	}
}
