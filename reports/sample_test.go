// SPDX-License-Identifier: GPL-2.0-only

package reports

import "skleak/record"

func ptr[T any](v T) *T { return &v }

// sample is a report with every status and every verdict.
func sample() record.Report {
	return record.Report{Schema: record.ReportSchema, Runs: []record.Run{sampleRun()}}
}

func sampleRun() record.Run {
	return record.Run{
		Kernel: record.Kernel{
			Release: "6.18.44", Version: "#1 SMP", Arch: "x86_64", Source: "host",
		},
		Controls: []record.Result{
			{
				Scenario: "hold/tbf", Status: record.Pass, Verdict: record.Stalled, Expected: "stalled", Packets: 257,
				PeakBytes: 213824, HeldBytes: 213824, BytesPerPacket: 832, Truesize: 832, SndBuf: 212992,
				Holder: "qdisc tbf on u0", ReleasedBy: "qdisc deleted", Seconds: 0.08,
			},
			{
				Scenario: "veth/same-netns", Status: record.Broken, Verdict: record.Held, Expected: "clean",
				Packets: 3000, HeldBytes: 832, Reason: "832 bytes were held by a link that keeps nothing",
			},
		},
		Results: []record.Result{
			{
				Scenario: "tun/unread", Status: record.Pass, Verdict: record.Clean, Expected: "clean", Packets: 3000,
				PeakBytes: 832, Truesize: 832, SndBuf: 212992, Writable: true, Orphans: "not checked",
				Ladder: []record.LadderStep{{Rung: "settle"}}, Spark: []int64{0, 832, 832, 0}, Seconds: 0.04,
			},
			sampleHold(),
			{
				Scenario: "tun/backpressure", Status: record.Skip, Expected: "stalled",
				Reason: "IFF_BACKPRESSURE is not available here", Hint: "it needs Linux 7.2",
			},
			{
				Scenario: "vxlan/unresolved", Status: record.Pass, Verdict: record.Stalled, Expected: "stalled", Packets: 256,
				PeakBytes: 212992, HeldBytes: 212992, BytesPerPacket: 832, Truesize: 832, SndBuf: 212992,
				SelfReleaseMs: ptr(int64(3012)), PacketsToStall: ptr(128), StallRatePPS: ptr(42.7),
				Law:    "256 packets are held for 3.0 s; silent from 43 packets/s on",
				Holder: "neighbour 10.9.9.2 on u0", ReleasedBy: "neighbour flushed",
				Spark: []int64{0, 90000, 212992, 212992, 0}, Seconds: 3.2,
			},
			{
				Scenario: "team/broadcast-no-port", Status: record.XFail, Verdict: record.Leaked, Expected: "clean", Packets: 257,
				Known:     &record.Known{Verdict: record.Leaked, FixedBy: "489114c9ecae", CVE: "CVE-2026-99026"},
				PeakBytes: 213824, HeldBytes: 213824, BytesPerPacket: 832, Truesize: 832, SndBuf: 212992, PinnedSockets: 1,
				Law: "held for good; one Hello in 10 s goes silent after 21 min 20 s", Spark: []int64{0, 213824, 213824}, Seconds: 4.5,
			},
			sampleFlaky(),
			{
				Scenario: "bad/underflow", Status: record.Fail, Verdict: record.Underflow, Expected: "clean", Packets: 10,
				Truesize: 832, SndBuf: 212992, Reason: "the counter reads 0xBFFFFFFF", Seconds: 0.2,
			},
			{
				Scenario: "bad/orphaned", Status: record.Fail, Verdict: record.Orphaned, Expected: "clean", Packets: 100000,
				Truesize: 832, SndBuf: 212992, Writable: true, Orphans: "99998", Seconds: 2,
			},
			{
				Scenario: "bad/wakeup", Status: record.Fail, Verdict: record.LostWakeup, Expected: "stalled", Packets: 257,
				Truesize: 832, SndBuf: 212992, Writable: true, Reason: "a waiter slept on for 210 ms", Seconds: 0.4,
			},
			{
				Scenario: "hold/nfqueue-no-listener", Status: record.Pass, Verdict: record.Refused, Expected: "clean or refused",
				Packets: 0, Refused: map[string]int{"EPERM": 12, "ENOBUFS": 2988}, Truesize: 832, SndBuf: 212992, Writable: true, Seconds: 0.1,
			},
			{Scenario: "vlan/up", Status: record.Skip, Expected: "clean", Reason: "link kind vlan is not available here", Hint: "CONFIG_VLAN_8021Q or module 8021q"},
			{Scenario: "stack/vlan-over-plug", Status: record.Skip, Expected: "stalled", Reason: "link kind vlan is not available here", Hint: "CONFIG_VLAN_8021Q or module 8021q"},
			{Scenario: "hold/htb", Status: record.Broken, Verdict: record.Clean, Expected: "stalled", Packets: 3000, Reason: "a control did not behave"},
			{Scenario: "iodine/no-client", Status: record.Error, Expected: "clean", Reason: "start iodined: exec format error", Hint: "apt-get install iodine"},
		},
		Seconds: 6.4,
	}
}

func sampleHold() record.Result {
	return record.Result{
		Scenario: "hold/tbf", Status: record.Pass, Verdict: record.Stalled, Expected: "stalled", Packets: 257,
		PeakBytes: 213824, HeldBytes: 213824, BytesPerPacket: 832, Truesize: 832, SndBuf: 212992,
		PacketsToStall: ptr(128), Law: "held for good; one Hello in 10 s goes silent after 21 min 20 s",
		Holder: "qdisc tbf on u0", ReleasedBy: "qdisc deleted",
		Ladder: []record.LadderStep{
			{Rung: "settle", Before: 213824, After: 213824},
			{Rung: "qdisc deleted", On: "tbf on u0", Before: 213824, After: 0},
		},
		Sockets: []record.SocketResult{{
			Name: "all links", SndBuf: 212992, Packets: 257, PeakBytes: 213824, HeldBytes: 213824,
			Meters: map[string]int64{"siocoutq": 213824},
		}},
		Witness: []record.Witness{{Rung: "qdisc deleted", Location: "__rtnl_unlock", Reason: "NOT_SPECIFIED", Count: 257}},
		Orphans: "not checked", Spark: []int64{0, 53000, 106000, 160000, 213824, 213824}, Seconds: 0.31,
	}
}

func sampleFlaky() record.Result {
	return record.Result{
		Scenario: "ipvlan/l2", Status: record.Fail, Verdict: record.Held, Expected: "clean", Packets: 3000,
		PeakBytes: 288000, HeldBytes: 1664, BytesPerPacket: 832, Truesize: 832, SndBuf: 212992, Writable: true,
		Flaky: true, Holder: "ipvlan ip0", ReleasedBy: "link deleted",
		Attempts: []record.Attempt{
			{Verdict: record.Held, Status: record.Fail, HeldBytes: 1664, Holder: "ipvlan ip0"},
			{Verdict: record.Clean, Status: record.Pass},
		},
		LawCheck: &record.LawCheck{
			PredictedPPS: 43, Under: &record.LawRun{PPS: 34}, Over: &record.LawRun{PPS: 52, Stalled: true},
		},
		Spark: []int64{0, 288000, 1664}, Seconds: 0.5,
	}
}

// hostile is a report whose strings try to break whatever prints them.
func hostile() record.Report {
	const evil = "a\nok 1 b # SKIP\r\x1b[2J\x1b]0;t\x07\u009b31m\u202eb\x00\xff\tz"
	res := record.Result{
		Scenario: "x/" + evil, Status: record.Fail, Verdict: record.Verdict(evil), Expected: evil, Holder: evil,
		ReleasedBy: evil, Law: evil, Reason: evil, Hint: evil, Refused: map[string]int{evil: 1}, Flaky: true,
		Attempts: []record.Attempt{{Verdict: record.Verdict(evil), Holder: evil}},
	}
	skip, xfail, odd := res, res, res
	skip.Status, xfail.Status, odd.Status = record.Skip, record.XFail, record.Status(evil)
	xfail.Known = &record.Known{
		Verdict: record.Verdict(evil), Holder: evil, FixedBy: evil, CVE: evil,
		FixedIn: []record.FixedIn{record.FixedIn(evil)}, Kernels: []record.Series{record.Series(evil)},
	}
	run := record.Run{
		Kernel:   record.Kernel{Release: evil, Version: evil, Arch: evil, Source: evil},
		Controls: []record.Result{res}, Results: []record.Result{res, skip, xfail, odd}, Trouble: evil,
	}
	return record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
}
