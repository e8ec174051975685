// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"strings"
	"testing"

	"skleak/record"
)

// held is a trace of 128 packets that a tbf's deletion let go.
func held(l *record.Ledger) record.Trace {
	return record.Trace{
		Sent: 128, Truesize: 832, Ledger: l,
		Settle:  record.Reading{Bytes: 106496, PerSocket: []uint32{106496}},
		Sockets: []record.SocketTrace{{Name: "v0", SndBuf: 212992, Peak: 106496, Sent: 128, PacketsToStall: 128}},
		Rungs: []record.RungTrace{
			{Rung: record.RungQdisc, On: "tbf on v0", Holder: "qdisc tbf on v0", Before: 106496},
			{Rung: record.RungDelete, On: "v0", Holder: "driver of v0"},
		},
	}
}

func places(counts ...record.LedgerPlace) *record.Ledger { return &record.Ledger{Places: counts} }

func TestHolderByLedger(t *testing.T) {
	byTime := func(l *record.Ledger) record.Trace {
		tr := held(l)
		tr.Rungs = tr.Rungs[1:]
		tr.Rungs[0].Drift = 1
		return tr
	}
	leaked := func(l *record.Ledger) record.Trace {
		tr := held(l)
		for i := range tr.Rungs {
			tr.Rungs[i].Before, tr.Rungs[i].After = 106496, 106496
		}
		return tr
	}
	tbf := record.LedgerPlace{Place: "qdisc tbf on v0", Count: 128, Charged: true}
	team := record.LedgerPlace{Place: "driver of p0", Count: 128, Charged: true}
	ring := record.LedgerPlace{Place: "reader of t0", Count: 500}
	tests := []struct {
		name       string
		trace      record.Trace
		holder, by string
		reason     string
	}{
		{"no ledger", held(nil), "qdisc tbf on v0", "", ""},
		{"agreed", held(places(tbf)), "qdisc tbf on v0", byBoth, ""},
		{"what is not charged holds nothing", held(places(ring, tbf)), "qdisc tbf on v0", byBoth, ""},
		{"a tenth does not matter", held(places(tbf, record.LedgerPlace{Place: "driver of x", Count: 5, Charged: true})), "qdisc tbf on v0", byBoth, ""},
		{"differ", held(places(team)), "qdisc tbf on v0 (ladder) or driver of p0 (ledger)", byNeither, "differ"},
		{"incomplete", held(&record.Ledger{Places: places(team).Places, Incomplete: "3 samples were lost"}), "qdisc tbf on v0", byLadder, "ledger incomplete: 3 samples were lost"},
		{"the ladder is silent", byTime(places(tbf)), "qdisc tbf on v0", byLedger, ""},
		{"a leak has no rung", leaked(places(team)), "driver of p0", byLedger, ""},
		{"a leak nobody saw", leaked(&record.Ledger{Incomplete: "x"}), record.NotKnown, "", "incomplete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Judge(tt.trace)
			if f.Holder != tt.holder || f.HolderBy != tt.by {
				t.Errorf("holder %q by %q, want %q by %q", f.Holder, f.HolderBy, tt.holder, tt.by)
			}
			if !strings.Contains(f.Reason, tt.reason) || tt.reason == "" && strings.Contains(f.Reason, "ledger") {
				t.Errorf("reason = %q, want %q in it", f.Reason, tt.reason)
			}
		})
	}
}

func TestSeveralHolders(t *testing.T) {
	if !sameHolders("qdisc tbf on v0 and qdisc tbf on v1", "qdisc tbf on v1 and qdisc tbf on v0") {
		t.Error("the order matters")
	}
	half := func(name string) record.LedgerPlace {
		return record.LedgerPlace{Place: name, Count: 64, Charged: true}
	}
	if got := ledgerHolder(held(places(half("a"), half("b"))), false); got != "a and b" {
		t.Errorf("holder = %q", got)
	}
}

// What leaked is looked for where it was after the ladder, if that account adds up.
func TestLeakIsWhereItWasAfterTheLadder(t *testing.T) {
	at := func(name string, bytes int64) []record.LedgerPlace {
		return []record.LedgerPlace{{Place: name, Count: 10, Charged: true, Bytes: bytes}}
	}
	l := places(at("qdisc tbf on v0", 8320)...)
	l.After, l.AfterCharge = at("driver of v0", 8320), 8320
	tr := held(l)
	if got := ledgerHolder(tr, true); got != "driver of v0" {
		t.Errorf("leaked at %q", got)
	}
	if got := ledgerHolder(tr, false); got != "qdisc tbf on v0" {
		t.Errorf("held at %q", got)
	}
	l.AfterCharge = 9000
	if got := ledgerHolder(tr, true); got != "qdisc tbf on v0" {
		t.Errorf("leaked at %q by an account that does not add up", got)
	}
}

// A packet that pins its socket and is not charged to it is named by the ledger
// alone, and by nobody where that has lost samples.
func TestPinnedUncharged(t *testing.T) {
	pinned := func(l *record.Ledger) record.Trace {
		return with(quiet(), func(t *record.Trace) { t.SocketsBefore, t.SocketsAfter, t.Ledger = 1, 2, l })
	}
	left := func(lost uint64) *record.Ledger {
		return &record.Ledger{Lost: lost, LeftAt: []record.LedgerPlace{{Place: "qdisc netem on v0", Count: 3000}}}
	}
	for _, test := range []struct {
		name       string
		ledger     *record.Ledger
		holder, by string
	}{
		{"without a ledger", nil, record.NotKnown, ""},
		{"seen", left(0), "qdisc netem on v0", byLedger},
		{"samples lost", left(1), record.NotKnown, ""},
	} {
		if f := Judge(pinned(test.ledger)); f.Verdict != record.Leaked || f.Holder != test.holder || f.HolderBy != test.by {
			t.Errorf("%s: %s, holder %q by %q; want leaked, %q by %q", test.name, f.Verdict, f.Holder, f.HolderBy, test.holder, test.by)
		}
	}
}

func TestOrphanedByLedger(t *testing.T) {
	left := func(n int) *int { return &n }
	tests := []struct {
		name   string
		sent   int
		ledger *record.Ledger
		want   record.Verdict
		orphan string
	}{
		{"none", 100, &record.Ledger{Left: left(0)}, record.Clean, "0"},
		{"all of few", 100, &record.Ledger{Left: left(100)}, record.Orphaned, "100"},
		{"too few to prove it", 100, &record.Ledger{Left: left(9)}, record.Clean, "9"},
		{"too small a share", 100000, &record.Ledger{Left: left(20)}, record.Clean, "20"},
		{"not known", 3000, &record.Ledger{}, record.Clean, "not checked"},
		{"samples lost", 3000, &record.Ledger{Left: left(3000), Lost: 1}, record.Clean, "not checked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := record.Trace{Sent: tt.sent, Truesize: 832, Settle: record.Reading{Writable: true}, Ledger: tt.ledger}
			f := Judge(tr)
			if f.Verdict != tt.want || f.Orphans != tt.orphan {
				t.Errorf("%s with orphans %s, want %s with %s", f.Verdict, f.Orphans, tt.want, tt.orphan)
			}
			if told := strings.Contains(f.Reason, "ledger incomplete"); told != (tt.ledger.Lost > 0) {
				t.Errorf("orphans %s and the reason %q", f.Orphans, f.Reason)
			}
		})
	}
}
