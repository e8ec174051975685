// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"math"
	"strings"

	"skleak/record"
)

const (
	// levelLeast is how many packets must be kept before a level is spoken of:
	// a few kept ones look level whatever comes next.
	levelLeast = 8
	// levelFrom is the part of what is kept at which the level begins, levelShare the
	// part that must be there from then on, and levelFurther how many more must have
	// been sent meanwhile, as a part of what is kept.
	levelFrom    = 0.97
	levelShare   = 0.9
	levelFurther = 0.25
	// patienceLeast is the shortest wait that says anything.
	patienceLeast = 100_000_000
)

// Law is what the course of one socket foretells at other rates. Packets are
// whole ones of Each bytes.
type Law struct {
	Kind LawKind
	// Each is the charge of a packet in bytes, Stall how many of them make poll say
	// not writable.
	Each, Stall float64
	// Share is the part of the packets that stays, over 0 to 1, Link the one of
	// several links that it is about; "" for all, or where that is not known.
	Share float64
	Link  string
	// Kept of Sent packets stayed.
	Kept, Sent float64
	// Passed is how many packets had gone through before the first that stayed.
	Passed float64
	// HoldSeconds is for how long a packet is held, DrainPPS how many packets go in
	// a second.
	HoldSeconds, DrainPPS float64
	// Bound is the most packets it was seen to take; 0 for no bound. Refuses: more
	// are refused with ENOBUFS.
	Bound   float64
	Refuses bool
	// Residual is how far the model is off the course, as a part of the peak.
	Residual float64
	// Lasting: not even deleting the link lets go.
	Lasting bool
	// WatchedSeconds is how long time was given its chance after the traffic.
	WatchedSeconds float64
	// Rest: so many bytes of Before went by themselves, and the others did not.
	Rest, Before int64
}

// NeverSilent reports that what holds cannot silence this socket: it takes too
// little at once.
func (l Law) NeverSilent() bool {
	return l.Kind != LawUnknown && l.Kind != LawUntried && l.Bound > 0 && l.Bound < l.Stall
}

// Rate is from how many packets a second on the socket falls silent; 0 where
// every rate does, or none, or it is not known.
func (l Law) Rate() float64 {
	switch {
	case l.NeverSilent() || l.Share <= 0:
		return 0
	case l.Kind == LawTime && l.HoldSeconds > 0:
		return l.Stall / l.HoldSeconds / l.Share
	case l.Kind == LawDrain:
		return l.DrainPPS / l.Share
	}
	return 0
}

// toSilence is how many kept packets of each bytes make poll say not writable.
// sock_writeable() wants sk_wmem_alloc < sk_sndbuf >> 1, and the counter is one
// more than the charge (include/net/sock.h).
func toSilence(sndbuf int64, each float64) float64 {
	return max(math.Ceil((float64(sndbuf/2)-1)/each), 1)
}

// lawOf finds the law of the socket that held most. It speaks only where
// something was held and a packet's charge is known.
func lawOf(t record.Trace, f Finding, s socketFacts) (Law, bool) {
	each := f.BytesPerPacket
	if each == 0 {
		each = float64(f.Truesize)
	}
	held := f.Verdict == record.Leaked || f.Verdict == record.LostWakeup || f.Verdict == record.Stalled ||
		f.Verdict == record.Held || f.Verdict == record.Refused
	if !held || s.kept() <= 0 || each <= 0 || s.sndbuf <= 0 {
		return Law{}, false
	}
	r := reckoning{t: t, s: s, f: f, each: each, course: observe(t, s.index, each)}
	l := r.law()
	l.Each, l.Stall, l.Sent = each, toSilence(s.sndbuf, each), float64(s.sent)
	return l, true
}

// reckoning is one law in the making.
type reckoning struct {
	t      record.Trace
	s      socketFacts
	f      Finding
	each   float64
	course observed
}

func (r reckoning) law() Law {
	p := r.t.Patience
	l := Law{Share: 1, Refuses: r.refuses()}
	if p != nil {
		l.WatchedSeconds = seconds(p.ForNs)
	}
	switch {
	case r.f.Verdict == record.Leaked:
		l.Lasting = true
		return r.forEver(l)
	case r.fades():
		return r.byTime(l)
	case p == nil || p.ForNs < patienceLeast:
		l.Kind = LawUntried
		return l
	case p.Before-p.After >= int64(r.each):
		return r.partly(l)
	}
	return r.forEver(l)
}

// fades reports that time alone let go of everything.
func (r reckoning) fades() bool {
	p := r.t.Patience
	return p != nil && p.ReleasedNs >= 0 || r.s.held == 0
}

// byTime: all went by itself, in one way or another.
func (r reckoning) byTime(l Law) Law {
	m, residual, ok := fit(r.course, seconds(r.s.oldest), l.Refuses)
	l.Residual = residual
	if !ok {
		return l
	}
	return l.of(m)
}

func (l Law) of(m model) Law {
	l.Kind, l.HoldSeconds, l.DrainPPS, l.Share = m.kind, m.hold, m.drain, m.share
	if !math.IsInf(m.bound, 1) {
		l.Bound = math.Round(m.bound)
	}
	return l
}

// partly: a part went while it was watched. Either it goes on, or the rest stays.
func (r reckoning) partly(l Law) Law {
	p := r.t.Patience
	if m, residual, ok := fit(r.course, seconds(r.s.oldest), l.Refuses); ok && m.kind == LawDrain {
		l.Residual = residual
		return l.of(m)
	}
	l = r.forEver(l)
	l.Rest, l.Before = p.Before-p.After, p.Before
	return l
}

// forEver: nothing was seen to go. Every packet stays, or a share, or all after
// the first so many, or so many and no more.
func (r reckoning) forEver(l Law) Law {
	l.Kind = LawForEver
	l.Kept = math.Round(float64(r.s.held) / r.each)
	l.Link = r.link(l.Kept)
	sent := float64(r.s.sent)
	switch {
	case sent <= 0 || l.Kept >= 0.75*sent && !l.Refuses:
	case l.Refuses || r.level():
		l.Bound = l.Kept
	case r.startsLate(sent-l.Kept, l.Kept/sent):
		l.Passed = sent - l.Kept
	default:
		l.Share = l.Kept / sent
	}
	return l
}

// refuses reports that a queue on the way was full while the socket was not.
func (r reckoning) refuses() bool { return r.t.Refused["ENOBUFS"] >= 2 }

// level reports a charge that stopped growing below the silencing half while
// far more was sent.
func (r reckoning) level() bool {
	return r.s.peak+1 < r.s.half() && r.course.levels(float64(r.s.held)/r.each)
}

// startsLate reports that the course is rather that of a holder which lets so
// many pass and then takes all, than of one that takes a share.
func (r reckoning) startsLate(passed, share float64) bool {
	if r.s.links > 1 {
		return false
	}
	late, shared := 0.0, 0.0
	for _, p := range r.course.points {
		late += math.Abs(max(p.sent-passed, 0) - p.charged)
		shared += math.Abs(share*p.sent - p.charged)
	}
	return len(r.course.points) > 0 && late < shared/2
}

// link is the one of several links whose packets stayed: the charge grew after
// them and not after others', or the holder is named after it.
func (r reckoning) link(kept float64) string {
	if r.s.index >= len(r.t.Sockets) || kept < 1 {
		return ""
	}
	links := r.t.Sockets[r.s.index].Links
	most, others := record.LinkTrace{}, int64(0)
	for _, l := range links {
		if l.Grew > most.Grew {
			most, others = l, others+max(most.Grew, 0)
			continue
		}
		others += max(l.Grew, 0)
	}
	if grew := float64(most.Grew) / r.each; grew >= 0.9*kept && float64(others) <= 0.1*float64(most.Grew) {
		return most.Link
	}
	for _, l := range links {
		if strings.HasSuffix(r.f.Holder, " on "+l.Link) || strings.HasSuffix(r.f.Holder, " of "+l.Link) {
			return l.Link
		}
	}
	return ""
}
