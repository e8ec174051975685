// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"cmp"
	"strconv"

	"skleak/record"
)

// saturated is the lowest reading that can only be a counter taken below zero.
// A saturated refcount_t reads 0xBFFFFFFF (include/linux/refcount.h,
// REFCOUNT_SATURATED less one), an older atomic_t 0xFFFFxxxx.
const saturated = 1 << 31

// Finding is what a trace shows. Bytes are bytes of sk_wmem_alloc; a nil
// pointer means never, or not measured.
type Finding struct {
	// Verdict is "" when Trouble is set.
	Verdict record.Verdict
	// Trouble says why no verdict can be given: something of ours failed at the
	// very step that would have decided it.
	Trouble string

	// Holder names what held: "qdisc tbf on v0"; several are joined by " and ".
	Holder string
	// HolderBy says who named Holder: of a leak "stages", and where a ledger was
	// kept "ladder", "ledger", "ladder and ledger", "stages and ledger" or "they
	// differ".
	HolderBy string `json:",omitempty"`
	// suspect is what the stages say of a leak.
	suspect suspect
	// ReleasedBy names the rungs that let go, "time", or "nothing".
	ReleasedBy string
	// PinnedSockets is how many closed sockets stayed counted.
	PinnedSockets int

	HeldBytes int64
	PeakBytes int64
	// BytesPerPacket is measured from what was held; 0 where it cannot be told.
	BytesPerPacket float64
	// Truesize is the calibrated charge of one packet; 0 when unknown.
	Truesize int64
	// SndBuf is that of the socket that held most.
	SndBuf   int64
	Writable bool

	// SelfReleaseMs counts from the last send to the moment the charge was gone
	// with nothing touched.
	SelfReleaseMs  *int64
	PacketsToStall *int
	// StallRatePPS is the rate in packets a second from which the socket falls
	// silent; nil where any rate does, or none.
	StallRatePPS *float64
	// Law says the same in words, Foretold in figures; that is nil where nothing
	// was held.
	Law      string
	Foretold *Law `json:"-"`

	// Orphans is "not checked", or how many skbs never came free.
	Orphans string
	Ladder  []record.LadderStep
	// Reason is the evidence, one line.
	Reason string
}

// Judge says what t shows. It never fails: where the trace proves nothing,
// Finding.Trouble says why.
func Judge(t record.Trace) Finding {
	f := Finding{
		HeldBytes: heldBytes(t),
		Truesize:  max(t.Truesize, 0),
		Writable:  t.Settle.Writable,
		Orphans:   "not checked",
		Ladder:    ladder(t),
	}
	s := heaviest(t)
	f.SndBuf = s.sndbuf
	for _, sock := range t.Sockets {
		if !sock.Saturated && sock.Peak < saturated {
			f.PeakBytes = max(f.PeakBytes, sock.Peak)
		}
	}
	f.PeakBytes = max(f.PeakBytes, s.held)
	f.PinnedSockets = pinned(t)
	f.SelfReleaseMs = selfRelease(t)
	f.PacketsToStall = packetsToStall(t)
	if n, ok := orphans(t); ok {
		f.Orphans = strconv.FormatInt(n, 10)
	}
	f.rule(t)
	if f.Trouble != "" {
		return f
	}
	f.name(t)
	f.consult(t)
	if t.InPlace && f.Verdict.NeedsHolder() && f.Holder == "" {
		f.Holder = record.NotKnown
	}
	f.BytesPerPacket = bytesPerPacket(t, f)
	f.foretell(t, s)
	f.Reason = reason(t, f, s) + remarks(t, f) + ledgerRemark(t, f)
	return f
}

func (f *Finding) foretell(t record.Trace, s socketFacts) {
	l, ok := lawOf(t, *f, s)
	if !ok {
		return
	}
	f.Foretold, f.Law = &l, l.text(intervalOf(t, s), s.sndbuf)
	if rate := l.Rate(); rate > 0 {
		f.StallRatePPS = &rate
	}
}

// heldBytes is what was charged at the end of settling; where that is nothing,
// the most that had been charged for longer than the window before.
func heldBytes(t record.Trace) int64 {
	if t.Settle.Bytes > 0 {
		return t.Settle.Bytes
	}
	var sum int64
	for _, s := range t.Sockets {
		sum += max(s.Course.HeldBytes, 0)
	}
	return sum
}

// socketFacts are the figures of the socket that held most: a law is about one
// socket, whatever the others hold.
type socketFacts struct {
	// index is its place among the sockets.
	index  int
	name   string
	sndbuf int64
	// held is what it held at the end of settling, course what it had held before,
	// both in bytes, and oldest the longest a packet was charged in nanoseconds.
	held, course, oldest int64
	peak                 int64
	sent                 int
	// links is how many links it serves, at least 1.
	links  int
	series []record.Point
}

// kept is what it held, at the end or before.
func (s socketFacts) kept() int64 { return max(s.held, s.course) }

// half is the charge below which poll says writable, in bytes.
func (s socketFacts) half() int64 { return s.sndbuf / 2 }

func heaviest(t record.Trace) socketFacts {
	var best socketFacts
	found := false
	for i, sock := range t.Sockets {
		held := heldBy(t, i)
		s := socketFacts{
			index: i, name: sock.Name, sndbuf: max(sock.SndBuf, 0), sent: max(sock.Sent, 0), series: sock.Series,
			// The sampler may miss a burst that is soon over.
			held: held, peak: max(sock.Peak, held), links: max(len(sock.Links), 1),
			course: max(sock.Course.HeldBytes, 0), oldest: max(sock.Course.OldestNs, 0),
		}
		if !found || cmp.Or(cmp.Compare(s.kept(), best.kept()), cmp.Compare(s.peak, best.peak)) > 0 {
			best, found = s, true
		}
	}
	return best
}

// heldBy is what socket i held at the end of settling.
func heldBy(t record.Trace, i int) int64 {
	if i < len(t.Settle.PerSocket) {
		if v := t.Settle.PerSocket[i]; v < saturated {
			return int64(v)
		}
		return 0
	}
	if len(t.Sockets) == 1 {
		return max(t.Settle.Bytes, 0)
	}
	return 0
}

func pinned(t record.Trace) int {
	if t.SocketsBefore < 0 || t.SocketsAfter < 0 {
		return 0
	}
	return max(t.SocketsAfter-t.SocketsBefore, 0)
}

func selfRelease(t record.Trace) *int64 {
	if t.Patience == nil || t.Patience.ReleasedNs < 0 {
		return nil
	}
	ms := t.Patience.ReleasedNs / 1e6
	return &ms
}

func packetsToStall(t record.Trace) *int {
	var least *int
	for _, s := range t.Sockets {
		if s.PacketsToStall >= 0 && (least == nil || s.PacketsToStall < *least) {
			least = &s.PacketsToStall
		}
	}
	return least
}

// bytesPerPacket is what one kept packet keeps. Where the charge is a whole
// number of calibrated packets it is the truesize: some of those sent may have
// gone through. Else it is measured, if every packet sent may still be there.
func bytesPerPacket(t record.Trace, f Finding) float64 {
	if f.HeldBytes == 0 {
		return 0
	}
	each := 0.0
	if t.Sent > 0 {
		each = float64(f.HeldBytes) / float64(t.Sent)
	}
	ts := float64(f.Truesize)
	switch {
	case f.Truesize == 0 && drained(t, f):
		return 0
	case f.Truesize == 0 || each > 1.25*ts:
		return each
	case f.HeldBytes%f.Truesize == 0:
		return ts
	case each > 0.75*ts:
		return each
	default:
		return 0
	}
}

// drained reports whether some of what was charged had gone before the end of
// settling.
func drained(t record.Trace, f Finding) bool {
	var peaks int64
	for _, s := range t.Sockets {
		peaks += s.Peak
	}
	return peaks > f.HeldBytes
}

func ladder(t record.Trace) []record.LadderStep {
	steps := []record.LadderStep{{Rung: record.PhaseSettle, Before: t.Settle.Bytes, After: t.Settle.Bytes}}
	if p := t.Patience; p != nil {
		steps = append(steps, record.LadderStep{Rung: record.PhasePatience, Before: p.Before, After: p.After})
		if t.Refill != nil {
			steps = append(steps, record.LadderStep{Rung: record.PhaseRefill, Before: p.After, After: t.Refill.Held})
		}
	}
	for _, r := range t.Rungs {
		steps = append(steps, record.LadderStep{
			Rung: string(r.Rung), On: r.On, Before: r.Before, After: r.After, Error: r.Error,
		})
	}
	return steps
}
