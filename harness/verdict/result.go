// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"
	"maps"
	"slices"

	"skleak/harness/meter/series"
	"skleak/record"
)

// sparkPoints is how many values Result.Spark has at the most: a table's column.
const sparkPoints = 24

// Result judges t and compares the verdict with what is expected of a sound
// kernel: pass, xfail when it is exactly the known defect on a kernel that may
// still have it, else fail. Where no verdict can be given the status is error.
// Attempts holds this one try.
func Result(name string, expect []record.Verdict, known *record.Known, t record.Trace) record.Result {
	f := Judge(t)
	state, remark := status(f, expect, known, t.Kernel)
	r := record.Result{
		Scenario: name,
		Status:   state,
		Verdict:  f.Verdict,
		Expected: record.JoinVerdicts(expect),
		Known:    known,

		Packets: t.Sent,
		Refused: map[string]int{}, Reported: maps.Clone(t.Reported),

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
	if remark != "" {
		r.Reason += "; " + remark
	}
	if why := disproved(t.LawCheck); why != "" && f.Trouble == "" {
		r.Status = record.Fail
		r.Reason = "the law does not hold: " + why + "; " + r.Reason
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

// status compares, and says what about a known defect keeps it from being an
// excuse, or could not be checked.
func status(f Finding, expect []record.Verdict, known *record.Known, k record.Kernel) (s record.Status, remark string) {
	switch {
	case f.Trouble != "":
		return record.Error, ""
	case slices.Contains(expect, f.Verdict):
		return record.Pass, ""
	case known == nil:
		return record.Fail, ""
	}
	excuse := known.Excuses(f.Verdict, f.Holder, k)
	if !excuse.Granted {
		return record.Fail, excuse.Remark
	}
	return record.XFail, excuse.Remark
}

// disproved says what a run of --verify-law showed against the law; "" for
// nothing.
func disproved(c *record.LawCheck) string {
	switch {
	case c == nil:
		return ""
	case c.Under != nil && c.Under.Stalled:
		return fmt.Sprintf("silent from %s on by the law, and at %s it was silent already", perSecond(c.PredictedPPS), perSecond(c.Under.PPS))
	case c.Over == nil:
		return ""
	case c.NeverSilent && c.Over.Stalled:
		return fmt.Sprintf("never silent by the law, and after %s as fast as can be it was", count(c.Over.Sent, "packet"))
	case !c.NeverSilent && !c.Over.Stalled && c.PredictedPPS > 0:
		return fmt.Sprintf("silent from %s on by the law, and after %s at %s it was not", perSecond(c.PredictedPPS), count(c.Over.Sent, "packet"), perSecond(c.Over.PPS))
	case !c.NeverSilent && !c.Over.Stalled:
		return fmt.Sprintf("silent by the law, and after %s as fast as can be it was not", count(c.Over.Sent, "packet"))
	}
	return ""
}

func sockets(t record.Trace) []record.SocketResult {
	out := []record.SocketResult{}
	for i, s := range t.Sockets {
		out = append(out, record.SocketResult{
			Name: s.Name, SndBuf: s.SndBuf, Packets: s.Sent, PeakBytes: s.Peak,
			HeldBytes: heldBy(t, i), Meters: maps.Clone(s.Meters),
			SilentTimes: s.Course.SilentTimes, SilentMs: s.Course.SilentNs / 1e6, Silences: slices.Clone(s.Course.Silences),
			StalledOn: s.StalledOn, Links: slices.Clone(s.Links),
		})
	}
	return out
}

func spark(t record.Trace) []int64 {
	return series.Spark(heaviest(t).series, sparkPoints)
}
