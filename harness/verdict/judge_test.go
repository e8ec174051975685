// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"strings"
	"testing"

	"skleak/record"
)

const second = 1_000_000_000

// quiet is the trace of a clean link; the tests bend it.
func quiet() record.Trace {
	return record.Trace{
		Schema: record.TraceSchema, Scenario: "test/case", Rate: "max",
		Sent: 3000, FirstSendNs: 1 * second, LastSendNs: 1*second + 10_000_000,
		Truesize: 832, TruesizeBy: "tbf on lo", Message: "Hello", EveryNs: 10 * second, WindowNs: second / 2,
		Sockets: []record.SocketTrace{{Name: "all links", SndBuf: 212992, Peak: 832, Sent: 3000, PacketsToStall: -1}},
		Settle:  record.Reading{Writable: true, PerSocket: []uint32{0}}, SettleNs: second / 2,
		SocketsBefore: 2, SocketsAfter: 2,
	}
}

// stuck is the trace of a link that keeps n packets until its qdisc goes.
func stuck(n int) record.Trace {
	t := quiet()
	bytes := int64(n) * 832
	t.Sent, t.Sockets[0].Sent, t.Sockets[0].Peak = n, n, bytes
	t.Settle = record.Reading{Bytes: bytes, Writable: bytes+1 < 212992/2, PerSocket: []uint32{uint32(bytes)}}
	if !t.Settle.Writable {
		t.Sockets[0].PacketsToStall = 128
	}
	for i := range 101 {
		t.Sockets[0].Series = append(t.Sockets[0].Series, record.Point{
			AtNs: t.FirstSendNs + (t.LastSendNs-t.FirstSendNs)*int64(i)/100, Bytes: int64(n*i/100) * 832, Sent: n * i / 100,
		})
	}
	t.Patience = &record.Patience{ForNs: 4 * second, ReleasedNs: -1, Before: bytes, After: bytes}
	t.Rungs = []record.RungTrace{
		{Rung: record.RungQdisc, On: "tbf on v0", Holder: "qdisc tbf on v0", Before: bytes, Writable: true},
		{Rung: record.RungDelete, On: "v0", Holder: "v0", Writable: true},
	}
	return t
}

// kept makes the ladder of t end with bytes still charged.
func kept(t record.Trace, bytes int64) record.Trace {
	for i := range t.Rungs {
		t.Rungs[i].Before, t.Rungs[i].After = bytes, bytes
	}
	return t
}

func with(t record.Trace, change func(*record.Trace)) record.Trace {
	change(&t)
	return t
}

// Each verdict, and beside it what comes nearest without being it.
func TestVerdicts(t *testing.T) {
	tests := []struct {
		name  string
		trace record.Trace
		want  record.Verdict
	}{
		{"clean", quiet(), record.Clean},
		{"clean: kernel warnings are no proof", with(quiet(), func(t *record.Trace) { t.Warnings = []string{"refcount_t: underflow"} }), record.Clean},
		{"clean: was not writable for a while", with(quiet(), func(t *record.Trace) { t.Sockets[0].PacketsToStall = 130; t.Sockets[0].Peak = 288000 }), record.Clean},
		{"clean: blocked is not refused", with(quiet(), func(t *record.Trace) { t.Blocked = 100000 }), record.Clean},

		{"underflow: seen while sending", with(quiet(), func(t *record.Trace) { t.Sockets[0].Saturated = true }), record.Underflow},
		{"underflow: refcount_t", with(quiet(), func(t *record.Trace) { t.Settle.PerSocket[0] = 0xBFFFFFFF; t.Settle.Writable = false }), record.Underflow},
		{"underflow: old atomic_t", with(quiet(), func(t *record.Trace) { t.Settle.PerSocket[0] = 0xFFFF4600 }), record.Underflow},
		{"underflow: before leaked", with(kept(stuck(256), 832), func(t *record.Trace) { t.Sockets[0].Saturated = true }), record.Underflow},
		{"underflow: not below 2^31", with(quiet(), func(t *record.Trace) { t.Settle.PerSocket[0] = 0x7FFFFFFF; t.Settle.Bytes = 0 }), record.Clean},

		{"leaked: all stays", kept(stuck(256), 212992), record.Leaked},
		{"leaked: one packet stays", kept(stuck(1), 832), record.Leaked},
		{"leaked: the socket stays", with(quiet(), func(t *record.Trace) { t.SocketsAfter = 3 }), record.Leaked},
		{"leaked: a milder rung failed", with(kept(stuck(256), 832), func(t *record.Trace) { t.Rungs[0].Error = "busy" }), record.Leaked},
		{"leaked: before lost-wakeup", with(kept(stuck(256), 832), func(t *record.Trace) { t.Waiter.AsleepNs = second }), record.Leaked},
		{"not leaked: time lets go of the second filling", with(kept(stuck(256), 832), func(t *record.Trace) {
			t.Patience.ReleasedNs, t.Patience.After, t.SocketsAfter = 3*second, 0, 3
		}), record.Stalled},
		{"leaked: time let go of the charge, not of the socket", with(stuck(256), func(t *record.Trace) {
			t.Patience.ReleasedNs, t.Patience.After, t.SocketsAfter = 3*second, 0, 3
		}), record.Leaked},
		{"leaked: the second filling outlasts what time needed", with(kept(stuck(256), 832), func(t *record.Trace) {
			t.Patience.ReleasedNs, t.Patience.After = 3*second, 0
			t.Rest = &record.Patience{ForNs: 5 * second, ReleasedNs: -1, Before: 832, After: 832}
		}), record.Leaked},
		{"not leaked: the second filling goes in time", with(kept(stuck(256), 832), func(t *record.Trace) {
			t.Patience.ReleasedNs, t.Patience.After = 3*second, 0
			t.Rest = &record.Patience{ForNs: 2 * second, ReleasedNs: 2 * second, Before: 832}
		}), record.Stalled},
		{"leaked: both fillings go, the socket stays", with(kept(stuck(256), 832), func(t *record.Trace) {
			t.Patience.ReleasedNs, t.Patience.After, t.SocketsAfter = 3*second, 0, 3
			t.Rest = &record.Patience{ForNs: 2 * second, ReleasedNs: 2 * second, Before: 832}
		}), record.Leaked},
		{"not leaked: sockets unknown", with(quiet(), func(t *record.Trace) { t.SocketsBefore = -1 }), record.Clean},
		{"not leaked: fewer sockets", with(quiet(), func(t *record.Trace) { t.SocketsAfter = 1 }), record.Clean},

		{"orphaned", with(quiet(), func(t *record.Trace) {
			t.Quiet, t.Orphans = true, &record.SkbCount{By: "slabinfo", Before: 500, Settled: 3510, After: 3500}
		}), record.Orphaned},
		{"not orphaned: a busy machine", with(quiet(), func(t *record.Trace) {
			t.Orphans = &record.SkbCount{By: "slabinfo", Before: 500, Settled: 3510, After: 3500}
		}), record.Clean},
		{"not orphaned: some came free", with(quiet(), func(t *record.Trace) {
			t.Quiet, t.Orphans = true, &record.SkbCount{By: "slabinfo", Before: 500, Settled: 3510, After: 2749}
		}), record.Clean},
		{"not orphaned: too few", with(quiet(), func(t *record.Trace) {
			t.Sent, t.Quiet, t.Orphans = 1999, true, &record.SkbCount{By: "slabinfo", After: 1999}
		}), record.Clean},

		{"orphaned: one in 100 of many", with(quiet(), func(t *record.Trace) {
			t.Sent, t.Quiet, t.Orphans = 30000, true, &record.SkbCount{By: "/sys/kernel/slab", Before: 500, After: 800}
		}), record.Orphaned},
		{"not orphaned: what NAPI keeps", with(quiet(), func(t *record.Trace) {
			t.Sent, t.Quiet, t.Orphans = 30000, true, &record.SkbCount{By: "/sys/kernel/slab", Before: 500, After: 628}
		}), record.Clean},
		{"orphaned: copies of what was refused", with(stuck(24), func(t *record.Trace) {
			t.Sent, t.Refused, t.Quiet = 27, map[string]int{"ENOBUFS": 2973}, true
			t.Orphans = &record.SkbCount{By: "/sys/kernel/slab", Before: 14, After: 2987}
		}), record.Orphaned},

		{"lost-wakeup", with(stuck(256), func(t *record.Trace) { t.Waiter.AsleepNs = 320_000_000 }), record.LostWakeup},
		{"lost-wakeup: nothing held any more", with(quiet(), func(t *record.Trace) { t.Waiter.AsleepNs = 320_000_000 }), record.LostWakeup},
		{"not lost: parked and never woken", with(stuck(256), func(t *record.Trace) { t.Waiter.Parked = 1 }), record.Stalled},

		{"stalled", stuck(256), record.Stalled},
		{"stalled: just", stuck(128), record.Stalled},
		{"held: one less", stuck(127), record.Held},
		{"held: one of 100000", with(stuck(1), func(t *record.Trace) { t.Sent = 100000 }), record.Held},
		{"held: before a few refused", with(stuck(100), func(t *record.Trace) { t.Refused = map[string]int{"EPERM": 9} }), record.Held},
		{"refused: most, before held", with(stuck(10), func(t *record.Trace) { t.Refused = map[string]int{"ENOBUFS": 10} }), record.Refused},
		{"stalled: before refused", with(stuck(128), func(t *record.Trace) { t.Refused = map[string]int{"ENOBUFS": 3000} }), record.Stalled},
		{"stalled: in the course, nothing at its end", course(record.Course{
			HeldBytes: 106496, OldestNs: 3 * second, Worst: record.Silence{Bytes: 106496, HeldBytes: 53248, ForNs: second},
		}), record.Stalled},
		{"held: what was old did not silence", course(record.Course{
			HeldBytes: 53247, OldestNs: 3 * second, Worst: record.Silence{Bytes: 106496, HeldBytes: 53247, ForNs: second},
		}), record.Held},
		{"held: in the course, nothing at its end", course(record.Course{HeldBytes: 832, OldestNs: second}), record.Held},
		{"clean: not writable in haste", course(record.Course{OldestNs: second / 10, SilentTimes: 40, Worst: record.Silence{Bytes: 106496, ForNs: second / 10}}), record.Clean},

		{"refused: EPERM once", with(quiet(), func(t *record.Trace) { t.Refused = map[string]int{"EPERM": 1} }), record.Refused},
		{"refused: ENOBUFS half", with(quiet(), func(t *record.Trace) { t.Refused = map[string]int{"ENOBUFS": 3000} }), record.Refused},
		{"refused: nothing taken", with(quiet(), func(t *record.Trace) { t.Sent, t.Refused = 0, map[string]int{"ENOBUFS": 1} }), record.Refused},
		{"not refused: an ICMP error from afar", with(quiet(), func(t *record.Trace) { t.Reported = map[string]int{"ECONNREFUSED": 300} }), record.Clean},
		{"not refused: the sender's own full buffer", with(quiet(), func(t *record.Trace) { t.OwnFull = 3000 }), record.Clean},
		{"refused: still at rest", with(quiet(), func(t *record.Trace) {
			t.Refused, t.RestProbe = map[string]int{"ENOBUFS": 1}, "ENOBUFS"
		}), record.Refused},
		{"not refused: ENOBUFS under load", with(quiet(), func(t *record.Trace) { t.Refused = map[string]int{"ENOBUFS": 2999} }), record.Clean},
		{"not refused: none", with(quiet(), func(t *record.Trace) { t.Refused = map[string]int{"EPERM": 0} }), record.Clean},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Judge(test.trace)
			if f.Verdict != test.want || f.Trouble != "" {
				t.Errorf("verdict %q, trouble %q; want %q", f.Verdict, f.Trouble, test.want)
			}
			if f.Reason == "" || strings.Contains(f.Reason, "\n") {
				t.Errorf("reason = %q", f.Reason)
			}
		})
	}
}

// course is quiet() with what its readings show together.
func course(c record.Course) record.Trace {
	t := quiet()
	t.Sockets[0].Course = c
	if c.HeldBytes > 0 {
		t.Patience = &record.Patience{}
		t.Refill = &record.Refill{Sent: 128, Held: 106496}
		t.Rungs = []record.RungTrace{{Rung: record.RungQdisc, On: "tbf on v0", Holder: "qdisc tbf on v0", Before: 106496, Writable: true}}
	}
	return t
}

// Where the deciding rung failed there is no verdict.
func TestTrouble(t *testing.T) {
	tests := []struct {
		name  string
		trace record.Trace
		want  string
	}{
		{"the link was not deleted", with(kept(stuck(256), 832), func(t *record.Trace) { t.Rungs[1].Error = "device busy" }), "link deleted (v0) failed: device busy; so the 832 bytes"},
		{"the ladder was cut short", with(kept(stuck(256), 832), func(t *record.Trace) { t.Rungs = t.Rungs[:1] }), "before a link was deleted"},
		{"the ladder was not climbed", with(stuck(256), func(t *record.Trace) { t.Rungs = nil }), "no rung of the ladder"},
		{"nothing was sent", with(quiet(), func(t *record.Trace) { t.Sent = 0 }), "no packet was sent"},
		{"far fewer were sent than asked for", with(quiet(), func(t *record.Trace) { t.Asked, t.Sent = 3000, 2600 }), "only 2600 of the 3000 packets"},
		{"the truesize is not known", with(quiet(), func(t *record.Trace) { t.Truesize = 0 }), "could not be measured"},
		{"pinned by a link that stays", with(stuck(256), func(t *record.Trace) {
			t.Rungs[1].Error, t.SocketsAfter = "device busy", 4
		}), "2 sockets still there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Judge(test.trace)
			if f.Verdict != "" || !strings.Contains(f.Trouble, test.want) {
				t.Errorf("verdict %q, trouble %q; want %q", f.Verdict, f.Trouble, test.want)
			}
			if r := Result("a/b", []record.Verdict{record.Clean}, nil, test.trace); r.Status != record.Error || r.Reason != f.Trouble {
				t.Errorf("status %q, reason %q", r.Status, r.Reason)
			}
		})
	}
}

func TestHolder(t *testing.T) {
	rung := func(kind record.RungKind, holder string, before, after, drift int64) record.RungTrace {
		return record.RungTrace{Rung: kind, On: holder, Holder: holder, Before: before, After: after, Drift: drift}
	}
	tests := []struct {
		name       string
		rungs      []record.RungTrace
		holder, by string
	}{
		{"one rung frees all", []record.RungTrace{
			rung(record.RungReader, "reader of dns0", 8320, 8320, 0), rung(record.RungQdisc, "qdisc tbf on v0", 8320, 0, 0),
		}, "qdisc tbf on v0", "qdisc deleted"},
		{"one packet beside it", []record.RungTrace{
			rung(record.RungReader, "reader of dns0", 8320, 832*9, 0), rung(record.RungQdisc, "qdisc tbf on v0", 832*9, 0, 0),
		}, "qdisc tbf on v0", "qdisc deleted"},
		{"two, each a part", []record.RungTrace{
			rung(record.RungQdisc, "qdisc tbf on v0", 8320, 4160, 0), rung(record.RungQdisc, "qdisc tbf on v1", 4160, 0, 0),
		}, "qdisc tbf on v0 and qdisc tbf on v1", "qdisc deleted"},
		{"one holder, two rungs", []record.RungTrace{
			rung(record.RungVerdict, "nfqueue 0", 8320, 4160, 0), rung(record.RungListener, "nfqueue 0", 4160, 0, 0),
		}, "nfqueue 0", "verdicts given and listener closed"},
		{"what drains is nobody's", []record.RungTrace{
			rung(record.RungQdisc, "qdisc tbf on v0", 8320, 7000, 500), rung(record.RungDown, "link v0", 7000, 5600, 500),
			rung(record.RungDelete, "link v0", 5600, 0, 2000),
		}, "", "time"},
		{"gone before the ladder", []record.RungTrace{rung(record.RungQdisc, "qdisc tbf on v0", 0, 0, 0)}, "", "time"},
		{"a failed rung has no claim", []record.RungTrace{
			{Rung: record.RungQdisc, Holder: "qdisc tbf on v0", Before: 8320, After: 0, Error: "no such device"},
			rung(record.RungDelete, "link v0", 0, 0, 0),
		}, "", "time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			trace := stuck(10)
			trace.Rungs = test.rungs
			f := Judge(trace)
			if f.Holder != test.holder || f.ReleasedBy != test.by {
				t.Errorf("holder %q by %q, want %q by %q", f.Holder, f.ReleasedBy, test.holder, test.by)
			}
		})
	}
}

func TestHolderOfLeak(t *testing.T) {
	f := Judge(kept(stuck(256), 212992))
	if f.Holder != record.NotKnown || f.ReleasedBy != "nothing" {
		t.Errorf("holder %q by %q", f.Holder, f.ReleasedBy)
	}
}

func TestResultStatus(t *testing.T) {
	known := &record.Known{Verdict: record.Stalled, Holder: "qdisc * on v0", FixedBy: "0110d6f22f39", FixedIn: []record.FixedIn{"6.2"}}
	other, older := *known, *known
	other.Holder, older.FixedIn = "driver of *", []record.FixedIn{"6.1.5"}
	elsewhere := record.Known{Verdict: record.Stalled, Holder: "qdisc * on v0", Kernels: []record.Series{"6.2..7.3"}}
	tests := []struct {
		name   string
		expect []record.Verdict
		known  *record.Known
		want   record.Status
	}{
		{"as expected", []record.Verdict{record.Held, record.Stalled}, nil, record.Pass},
		{"as known", []record.Verdict{record.Clean}, known, record.XFail},
		{"expected comes before known", []record.Verdict{record.Stalled}, known, record.Pass},
		{"the known verdict of another holder", []record.Verdict{record.Clean}, &other, record.Fail},
		{"fixed, and back", []record.Verdict{record.Clean}, &older, record.Fail},
		{"known of other kernels", []record.Verdict{record.Clean}, &elsewhere, record.Fail},
		{"not the known defect", []record.Verdict{record.Clean}, &record.Known{Verdict: record.Leaked}, record.Fail},
		{"neither", []record.Verdict{record.Clean}, nil, record.Fail},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			trace := stuck(256)
			trace.Kernel = record.Kernel{Release: "6.1.7"}
			trace.Rungs = []record.RungTrace{{Rung: record.RungQdisc, On: "tbf on v0", Holder: "qdisc tbf on v0", Before: 212992}}
			r := Result("a/b", test.expect, test.known, trace)
			if r.Status != test.want || r.Attempts[0].Status != test.want || r.Verdict != record.Stalled {
				t.Errorf("status %q, attempts %+v", r.Status, r.Attempts)
			}
		})
	}
	r := Result("a/b", tests[0].expect, nil, stuck(256))
	if r.Expected != "held or stalled" || r.Refused == nil || r.Witness == nil || r.Sockets[0].HeldBytes != 212992 {
		t.Errorf("result = %+v", r)
	}
}
