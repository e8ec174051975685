// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"
	"math"
	"strings"

	"skleak/record"
)

// interval is a packet's own: "one Hello in 10 s".
type interval struct {
	message string
	seconds float64
	// links is how many packets leave the socket in it.
	links float64
}

func intervalOf(t record.Trace, s socketFacts) interval {
	return interval{message: t.Message, seconds: seconds(t.EveryNs), links: float64(max(s.links, 1))}
}

func (i interval) known() bool { return i.seconds > 0 && i.message != "" }

func (i interval) String() string {
	every := "a second"
	if i.seconds != 1 {
		every = "in " + strings.TrimSuffix(fmt.Sprintf("%g s", i.seconds), "")
	}
	text := fmt.Sprintf("one %s %s", i.message, every)
	if i.links > 1 {
		text += " on each link"
	}
	return text
}

// pps is how many packets leave the socket in a second.
func (i interval) pps() float64 { return i.links / i.seconds }

// text says the law in one or two sentences. Sndbuf is in bytes.
func (l Law) text(i interval, sndbuf int64) string {
	switch l.Kind {
	case LawUntried:
		return "Whether time alone lets go was not tried."
	case LawUnknown:
		text := "All went by itself; how is not known"
		if !math.IsInf(l.Residual, 1) {
			text += fmt.Sprintf(": neither a time for each packet nor a line's rate gives the course (off by %.0f%% of the peak)", 100*l.Residual)
		}
		return text + "."
	case LawTime:
		return l.timeText(i, sndbuf)
	case LawDrain:
		return l.drainText(i, sndbuf)
	}
	return l.foreverText(i, sndbuf)
}

// foreverText: nothing was seen to go.
func (l Law) foreverText(i interval, sndbuf int64) string {
	switch {
	case l.Rest > 0:
		return fmt.Sprintf("Of %d bytes %d went by themselves within %s and the others did not: silent after %.0f packets so kept, %.0f bytes each.",
			l.Before, l.Rest, short(l.WatchedSeconds), l.Stall, l.Each)
	case l.Bound > 0 && l.Bound < l.Stall:
		return fmt.Sprintf("%s. It levels off at %.0f bytes (%.0f packets)%s: %s.",
			l.nothing(), l.Bound*l.Each, l.Bound, l.refusing(), l.never(sndbuf))
	}
	// Every kept packet counts, whichever share of the sent ones that is.
	n := math.Ceil(l.Stall/l.Share) + l.Passed
	links, link := i.links, ""
	if l.Link != "" {
		link = ", on " + l.Link
	}
	var text string
	switch {
	case l.Passed > 0:
		text = fmt.Sprintf(": the first %.0f packets passed, and each after them keeps %.0f bytes%s; silent after %.0f packets", l.Passed, l.Each, link, n)
	case l.Share == 1:
		text = fmt.Sprintf(": each packet keeps %.0f bytes%s; silent after %.0f packets", l.Each, link, n)
	case l.Link != "" && math.Abs(l.Share*links-1) < 0.1:
		// All of one link's: the count follows from the turns.
		n = l.Stall * links
		text = fmt.Sprintf(": 1 packet in %.0f stays, on %s, %.0f bytes each; silent after %.0f packets", links, l.Link, l.Each, n)
	default:
		text = fmt.Sprintf(": %.0f of %.0f packets stayed%s, %.0f bytes each; if that share goes on, silent after %.0f packets", l.Kept, l.Sent, link, l.Each, n)
	}
	if i.known() {
		text += fmt.Sprintf("; at %s after %s", i, long(n/i.pps()))
	}
	return l.nothing() + text + "."
}

// nothing says how far it was seen that nothing lets go by itself.
func (l Law) nothing() string {
	switch {
	case l.Lasting:
		return "Nothing lets go"
	default:
		return "Nothing lets go within " + short(l.WatchedSeconds)
	}
}

func (l Law) refusing() string {
	if l.Refuses {
		return " and what comes then is refused with ENOBUFS"
	}
	return ""
}

// never says why no rate silences the socket. One with a send buffer of twice
// the level or less would be.
func (l Law) never(sndbuf int64) string {
	return fmt.Sprintf("never silent with this send buffer of %d; silent with one of %.0f or less", sndbuf, 2*l.Bound*l.Each+2)
}

// timeText: each packet is kept for a time. At rate x so many are there at once:
// rate x seconds.
func (l Law) timeText(i interval, sndbuf int64) string {
	text := fmt.Sprintf("A packet is held for %s%s", short(l.HoldSeconds), l.some())
	if l.NeverSilent() {
		return fmt.Sprintf("%s. It levels off at %.0f bytes (%.0f packets)%s: %s.", text, l.Bound*l.Each, l.Bound, l.refusing(), l.never(sndbuf))
	}
	if !i.known() {
		return fmt.Sprintf("%s. Silent from %s on.", text, perSecond(l.Rate()))
	}
	standing := math.Ceil(i.pps() * l.Share * l.HoldSeconds)
	return fmt.Sprintf("%s. %s; silent from %s on.", text, l.at(i, standing < l.Stall, i.pps()*l.Share), perSecond(l.Rate()))
}

// some says that not all packets are held.
func (l Law) some() string {
	if l.Share == 1 {
		return ""
	}
	return fmt.Sprintf(", %.0f in 100 of those sent", 100*l.Share)
}

// drainText: they go one after the other.
func (l Law) drainText(i interval, sndbuf int64) string {
	text := fmt.Sprintf("It drains at %s%s", perSecond(l.DrainPPS), l.some())
	if l.NeverSilent() {
		return fmt.Sprintf("%s. It levels off at %.0f bytes (%.0f packets)%s: %s.", text, l.Bound*l.Each, l.Bound, l.refusing(), l.never(sndbuf))
	}
	if !i.known() {
		return fmt.Sprintf("%s. Silent above that.", text)
	}
	growing := i.pps()*l.Share - l.DrainPPS
	return fmt.Sprintf("%s. %s; silent above that.", text, l.at(i, growing <= 0, growing))
}

// at says what a packet's own interval does: harmless, or silent after a time at
// which so many packets a second are added.
func (l Law) at(i interval, harmless bool, adding float64) string {
	if harmless {
		return "Harmless at " + i.String()
	}
	return fmt.Sprintf("Silent at %s after %s", i, long(l.Stall/adding))
}
