package verdict

import (
	"maps"
	"slices"

	"skleak/harness/meter/series"
	"skleak/record"
)

// sparkPoints is how many values Result.Spark has at the most: a table's column.
const sparkPoints = 24

// Result judges t and compares the verdict with what is expected of a sound
// kernel: pass, xfail when it is exactly the known defect, else fail. Where no
// verdict can be given the status is error. Attempts holds this one try.
func Result(name string, expect []record.Verdict, known *record.Known, t record.Trace) record.Result {
	f := Judge(t)
	r := record.Result{
		Scenario: name,
		Status:   status(f, expect, known),
		Verdict:  f.Verdict,
		Expected: record.JoinVerdicts(expect),
		Known:    known,

		Packets: t.Sent,
		Refused: map[string]int{},

		PeakBytes:      f.PeakBytes,
		HeldBytes:      f.HeldBytes,
		BytesPerPacket: f.BytesPerPacket,
		Truesize:       f.Truesize,
		SndBuf:         f.SndBuf,
		Writable:       f.Writable,

		SelfReleaseMs:  f.SelfReleaseMs,
		PacketsToStall: f.PacketsToStall,
		StallRatePPS:   f.StallRatePPS,
		Law:            f.Law,

		Holder:        f.Holder,
		HolderBy:      f.HolderBy,
		ReleasedBy:    f.ReleasedBy,
		Ladder:        f.Ladder,
		PinnedSockets: f.PinnedSockets,
		Stages:        stages(t),
		Witness:       append([]record.Witness{}, t.Witness...),
		Ledger:        t.Ledger,
		Sockets:       sockets(t),
		Orphans:       f.Orphans,

		Reason:   f.Reason,
		Warnings: slices.Clone(t.Warnings),
		Modules:  slices.Clone(t.Modules),
		LawCheck: t.LawCheck,
		Spark:    spark(t),
		Seconds:  t.Seconds,
	}
	maps.Copy(r.Refused, t.Refused)
	if f.Trouble != "" {
		r.Reason = f.Trouble
	}
	// Where nothing else runs the warning is this scenario's; elsewhere it is told
	// and proves nothing.
	if t.Quiet && len(t.Warnings) > 0 && r.Status == record.Pass {
		r.Status = record.Fail
		r.Reason = "the kernel warned: " + t.Warnings[0] + "; " + r.Reason
	}
	r.Attempts = []record.Attempt{{
		Verdict: r.Verdict, Status: r.Status, HeldBytes: r.HeldBytes, Holder: r.Holder, Reason: r.Reason,
	}}
	return r
}

func status(f Finding, expect []record.Verdict, known *record.Known) record.Status {
	switch {
	case f.Trouble != "":
		return record.Error
	case slices.Contains(expect, f.Verdict):
		return record.Pass
	case known != nil && f.Verdict == known.Verdict:
		return record.XFail
	default:
		return record.Fail
	}
}

func sockets(t record.Trace) []record.SocketResult {
	out := []record.SocketResult{}
	for i, s := range t.Sockets {
		out = append(out, record.SocketResult{
			Name: s.Name, SndBuf: s.SndBuf, Packets: s.Sent, PeakBytes: s.Peak,
			HeldBytes: heldBy(t, i), Meters: maps.Clone(s.Meters),
		})
	}
	return out
}

func spark(t record.Trace) []int64 {
	return series.Spark(heaviest(t).series, sparkPoints)
}
