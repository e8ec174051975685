package verdict

import (
	"fmt"
	"math"
	"strings"

	"skleak/record"
)

const (
	// helloEvery is OSPF's Hello interval on a broadcast link, in seconds (RFC 2328, C.3).
	helloEvery = 10.0
	// levelLeast is how many packets must be kept before a level is spoken of:
	// a few kept ones look level whatever comes next.
	levelLeast = 8
	// levelShare is the part of the peak that must be there when half of the
	// traffic was through, for the charge to count as level.
	levelShare = 0.9
	// patienceLeast is the shortest wait that says anything, patienceFull one that
	// outlasts what the kernel's own timers hold (ARP gives up after 3 s).
	patienceLeast = 100_000_000
	patienceFull  = 3_900_000_000
	// stepShare tells one release from a slow drain: the part of the time up to
	// nine tenths gone that the fall itself may take. A steady drain takes 8/9.
	stepShare = 0.5
)

// law is what the figures foretell.
type law struct {
	text string
	rate *float64
}

// lawOf reckons the law of the socket that held most. It speaks only where
// something was held and a packet's charge is known.
func lawOf(t record.Trace, f Finding, s socketFacts) (law, bool) {
	each := f.BytesPerPacket
	if each == 0 {
		each = float64(f.Truesize)
	}
	switch f.Verdict {
	case record.Leaked, record.LostWakeup, record.Stalled, record.Held:
	default:
		return law{}, false
	}
	if s.held <= 0 || each <= 0 || s.sndbuf <= 0 {
		return law{}, false
	}
	r := reckoning{t: t, s: s, each: each, stall: toSilence(s.sndbuf, each)}
	return r.law(f), true
}

// toSilence is how many kept packets of each bytes make poll say not writable.
// sock_writeable() wants sk_wmem_alloc < sk_sndbuf >> 1, and the counter is one
// more than the charge (include/net/sock.h).
func toSilence(sndbuf int64, each float64) float64 {
	return max(math.Ceil((float64(sndbuf/2)-1)/each), 1)
}

// reckoning is one law in the making.
type reckoning struct {
	t     record.Trace
	s     socketFacts
	each  float64
	stall float64
}

func (r reckoning) law(f Finding) law {
	p := r.t.Patience
	switch {
	case f.Verdict == record.Leaked:
		return r.forEver()
	case r.levels(f):
		return r.level()
	case p == nil || p.ForNs < patienceLeast:
		return law{text: "Whether time alone lets go was not tried."}
	}
	fall := fallOf(r.t)
	switch {
	case fall.gone < r.each && p.ReleasedNs < 0:
		return r.forEver()
	case p.ReleasedNs < 0 && fall.stopped:
		return r.rest(fall)
	case fall.step && fall.seconds > 0:
		return r.hold(fall.seconds)
	case fall.rate > 0:
		return r.drain(fall.rate)
	default:
		return law{}
	}
}

// forEver: nothing lets go by itself.
func (r reckoning) forEver() law {
	kept := r.s.held
	packets := float64(kept) / r.each
	if r.s.sent > 0 && packets < 0.75*float64(r.s.sent) && kept < r.s.half() {
		return r.sparse(packets)
	}
	return law{text: fmt.Sprintf(r.nothing()+": each packet keeps %.0f bytes; silent after %.0f packets; at one Hello in 10 s after %s.",
		r.each, r.stall, long(r.stall*helloEvery))}
}

// nothing says how far it was seen that nothing lets go by itself.
func (r reckoning) nothing() string {
	if p := r.t.Patience; p != nil && p.ForNs < patienceFull {
		return "Nothing lets go within " + short(seconds(p.ForNs))
	}
	return "Nothing lets go by itself"
}

// sparse: only some of the packets are kept, so the law is a share.
func (r reckoning) sparse(packets float64) law {
	sent := float64(r.s.sent)
	total := math.Ceil(r.stall * sent / packets)
	return law{text: fmt.Sprintf(r.nothing()+": %.0f of %.0f packets stayed, %.0f bytes each; if that share goes on, silent after %.0f packets; at one Hello in 10 s after %s.",
		math.Round(packets), sent, r.each, total, long(total*helloEvery))}
}

// rest: a part went by itself, and then no more.
func (r reckoning) rest(fall fall) law {
	return law{text: fmt.Sprintf("Of %d bytes %.0f went by themselves; nothing lets go of the rest: silent after %.0f packets so kept, %.0f bytes each.",
		r.t.Patience.Before, fall.gone, r.stall, r.each)}
}

// hold: each packet is kept for a time. At rate x so many are there at once:
// rate x seconds.
func (r reckoning) hold(seconds float64) law {
	rate := r.stall / seconds
	return law{rate: &rate, text: fmt.Sprintf("A packet is held for %s. %s; silent from %s on.",
		short(seconds), r.hello(math.Ceil(seconds/helloEvery)), perSecond(rate))}
}

// drain: they go one after the other, at so many bytes a second.
func (r reckoning) drain(bytesPerSecond float64) law {
	rate := bytesPerSecond / r.each
	standing := 1.0
	if rate < 1/helloEvery {
		standing = math.Inf(1)
	}
	return law{rate: &rate, text: fmt.Sprintf("It drains at %.0f bytes/s. %s; silent above %s.",
		bytesPerSecond, r.hello(standing), perSecond(rate))}
}

// hello says what one Hello in 10 s does when so many of them are held at once.
func (r reckoning) hello(standing float64) string {
	if standing < r.stall {
		return "Harmless at one Hello in 10 s"
	}
	return "Silent at one Hello in 10 s after " + long(r.stall*helloEvery)
}

// level: it holds so much and no more.
func (r reckoning) level() law {
	return law{text: fmt.Sprintf("Levels off at %d bytes (%.0f packets): never silent with this send buffer of %d; silent with one under %d.",
		r.s.peak, math.Round(float64(r.s.peak)/r.each), r.s.sndbuf, 2*r.s.peak)}
}

// levels reports a charge that stopped growing below the silencing half while
// far more was sent. Where time lets go, the level depends on the rate, and
// only the greatest rate shows the highest.
func (r reckoning) levels(f Finding) bool {
	packets := float64(r.s.peak) / r.each
	switch {
	case f.PacketsToStall != nil || !f.Writable || r.s.peak+1 >= r.s.half():
		return false
	case r.fades() && !strings.EqualFold(r.t.Rate, "max"):
		return false
	case r.refuses():
		return true
	case packets < levelLeast || float64(r.s.sent) < 2*packets:
		return false
	}
	return float64(r.midway()) >= levelShare*float64(r.s.peak)
}

// refuses reports that most was refused for want of room, though the socket had
// room itself: a queue on the way is full, and takes no more.
func (r reckoning) refuses() bool { return r.t.Refused["ENOBUFS"] >= 2*max(r.t.Sent, 1) }

// fades reports that time alone lets go, wholly or in part.
func (r reckoning) fades() bool {
	p := r.t.Patience
	return p != nil && (p.ReleasedNs >= 0 || float64(p.Before)-float64(p.After) >= r.each)
}

// midway is the charge when half of the time of sending had passed.
func (r reckoning) midway() int64 {
	half := r.t.FirstSendNs + (r.t.LastSendNs-r.t.FirstSendNs)/2
	var at int64
	for _, p := range r.s.series {
		if p.AtNs > half {
			break
		}
		at = p.Bytes
	}
	return at
}
