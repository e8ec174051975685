// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"slices"
	"testing"

	"skleak/record"
)

// A recorded trace bent in one field gives the verdict that the table of
// docs/verdicts.md gives it.
func TestBentTraces(t *testing.T) {
	tests := []struct {
		name, trace string
		bend        func(*record.Trace)
		want        record.Verdict
	}{
		{"as it was", "hold-tbf", func(*record.Trace) {}, record.Stalled},
		{"held: less is charged, and still writable", "hold-tbf", func(t *record.Trace) {
			t.Settle.Bytes, t.Settle.Writable, t.Settle.PerSocket[0] = 832, true, 832
			t.Sockets[0].Course = record.Course{HeldBytes: 832}
		}, record.Held},
		{"nothing held", "hold-tbf", func(t *record.Trace) {
			t.Settle.Bytes, t.Settle.Writable, t.Settle.PerSocket[0] = 0, true, 0
			t.Sockets[0].Course, t.Patience, t.Rungs, t.Blocked = record.Course{}, nil, nil, 0
			t.Sent, t.Sockets[0].Sent = t.Planned, t.Planned
		}, record.Clean},
		{"pinned: the socket stays", "hold-tbf", func(t *record.Trace) { t.SocketsAfter++ }, record.Leaked},
		{"rung: the last frees nothing", "leaked", func(*record.Trace) {}, record.Leaked},
		{"rung: the last frees all", "leaked", func(t *record.Trace) {
			t.Rungs[len(t.Rungs)-1].After, t.SocketsAfter = 0, t.SocketsBefore
		}, record.Stalled},
		{"truesize: not known, nothing held", "tun-unread", func(t *record.Trace) { t.Truesize = 0 }, ""},
		{"counters: nothing was sent", "tun-unread", func(t *record.Trace) { t.Sent = 0 }, ""},
		{"counters: far fewer than asked", "tun-unread", func(t *record.Trace) { t.Asked = 2 * t.Sent }, ""},
		{"counters: half refused", "tun-unread", func(t *record.Trace) { t.Refused = map[string]int{"ENOBUFS": t.Sent} }, record.Refused},
		{"counters: ICMP errors came back", "tun-unread", func(t *record.Trace) { t.Reported = map[string]int{"EHOSTUNREACH": t.Sent} }, record.Clean},
		{"course: silenced for a time", "tun-unread", func(t *record.Trace) {
			t.Sockets[0].Course = record.Course{HeldBytes: 106496, Worst: record.Silence{Bytes: 106496, HeldBytes: 106496}}
			t.Patience = &record.Patience{}
		}, record.Stalled},
		{"saturated", "tun-unread", func(t *record.Trace) { t.Sockets[0].Saturated = true }, record.Underflow},
		{"a waiter sleeps on", "hold-tbf", func(t *record.Trace) { t.Waiter.AsleepNs = second }, record.LostWakeup},
	}
	for _, test := range tests {
		trace := readTrace(t, "testdata/"+test.trace+".json")
		test.bend(&trace)
		if f := Judge(trace); f.Verdict != test.want || (test.want == "") != (f.Trouble != "") {
			t.Errorf("%s: %q, trouble %q, want %q: %s", test.name, f.Verdict, f.Trouble, test.want, f.Reason)
		}
	}
}

// The verdict is of the trace alone: not of its name, nor of what is expected.
func TestVerdictKnowsNothingOfExpectations(t *testing.T) {
	for _, name := range []string{"hold-tbf", "tun-unread", "leaked", "orphaned", "refused", "paced-dead-neighbour", "shaper-drains"} {
		trace := readTrace(t, "testdata/"+name+".json")
		want := Judge(trace)
		for _, expect := range slices.Concat([][]record.Verdict{record.Verdicts()}, [][]record.Verdict{{record.Clean}, {record.Held}, {record.Stalled, record.Clean}}) {
			trace.Scenario = "other/name"
			r := Result("another/name", expect, nil, trace)
			if r.Verdict != want.Verdict || r.Holder != want.Holder || r.Law != want.Law || r.Orphans != want.Orphans || r.HeldBytes != want.HeldBytes {
				t.Errorf("%s: expecting %v changes the finding to %s by %q", name, expect, r.Verdict, r.Holder)
			}
		}
	}
}
