// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"

	"skleak/record"
)

// rule sets the verdict, or the trouble, by precedence.
func (f *Finding) rule(t record.Trace) {
	left := leftCharged(t)
	switch {
	case underflowed(t):
		f.Verdict = record.Underflow
	case left > 0 && fadesAway(t) && t.Rest == nil:
		// NB: the refilled charge would go by itself, and so would what it pins.
		f.Verdict = keptVerdict(t)
	case left > 0 || f.PinnedSockets > 0:
		if f.Trouble = unproven(t, left, f.PinnedSockets); f.Trouble == "" {
			f.Verdict = record.Leaked
		}
	case neverLetGo(t):
		f.Trouble = fmt.Sprintf("%d bytes were held and no rung of the ladder was climbed, so what lets go is not known; run it again", t.Settle.Bytes)
	case orphaned(t):
		f.Verdict = record.Orphaned
	case t.Waiter.AsleepNs > 0:
		f.Verdict = record.LostWakeup
	case stalled(t):
		f.Verdict = record.Stalled
	case mostRefused(t):
		f.Verdict = record.Refused
	case hasHeld(t):
		f.Verdict = record.Held
	case refused(t):
		f.Verdict = record.Refused
	default:
		if f.Trouble = provesNothing(t); f.Trouble == "" {
			f.Verdict = record.Clean
		}
	}
}

// provesNothing says why a run that shows nothing does not show either that the
// link is clean; "" if it does.
func provesNothing(t record.Trace) string {
	switch {
	case t.Sent == 0:
		return "no packet was sent, so nothing is shown; give it a count, or more time"
	case t.Truesize <= 0:
		return "what one packet is charged with could not be measured here, so that nothing was held proves nothing"
	case gaveUp(t):
		return fmt.Sprintf("the sender gave up after %d of %d packets on a full socket, yet nothing is held: something was slow, not stuck; run it again on a quieter machine", t.Sent, t.Planned)
	case stoodStill(t):
		return fmt.Sprintf("the socket had been full, and %s passed between the last send and the look at what it held: the machine stood still, run it again on a quieter one",
			short(seconds(t.Settle.AtNs-t.LastSendNs)))
	case sentTooFew(t):
		return fmt.Sprintf("only %d of the %d packets asked for were tried, so nothing is shown; run it again on a quieter machine, or ask for fewer", t.Sent+refusals(t), t.Asked)
	}
	return ""
}

// enoughShare is what part of the packets asked for must have been tried for
// their charges to prove anything.
const enoughShare = 0.9

func sentTooFew(t record.Trace) bool {
	return float64(t.Sent+refusals(t)) < enoughShare*float64(t.Asked)
}

// hasHeld reports that something was charged for longer than the settling window:
// at its end, or while packets were still being sent.
func hasHeld(t record.Trace) bool { return heldBytes(t) > 0 }

// silencedShare is what part of the charge must be older than the settling window
// while a socket is not writable, for what is held to be what silences it.
// Otherwise it is the sender's own haste.
const silencedShare = 0.5

// stalled reports a socket silenced by what is held: at the end of settling, or
// for a time before.
func stalled(t record.Trace) bool {
	if t.Settle.Bytes > 0 && !t.Settle.Writable {
		return true
	}
	for _, s := range t.Sockets {
		if silenced(s.Course.Worst) {
			return true
		}
	}
	return false
}

func silenced(s record.Silence) bool {
	return s.HeldBytes > 0 && float64(s.HeldBytes) >= silencedShare*float64(s.Bytes)
}

// lateLook is far longer than giving up a full socket and settling take.
const lateLook = 2_000_000_000

// stoodStill expects that nothing is held. Where a socket was full and the look
// came late, what held it may have released it by itself meanwhile.
func stoodStill(t record.Trace) bool {
	return packetsToStall(t) != nil && t.LastSendNs > 0 && t.Settle.AtNs-t.LastSendNs > lateLook
}

// underflowed looks at the counters only. Kernel warnings are no proof: every
// sandbox on the machine shares one log.
func underflowed(t record.Trace) bool {
	for _, s := range t.Sockets {
		if s.Saturated || s.Peak >= saturated {
			return true
		}
	}
	for _, v := range t.Settle.PerSocket {
		if v >= saturated {
			return true
		}
	}
	return false
}

// leftCharged is the charge after the last rung and, where time had let go of
// the first filling, after as long a wait again.
func leftCharged(t record.Trace) int64 {
	if len(t.Rungs) == 0 {
		return 0
	}
	if t.Rest != nil {
		return max(t.Rest.After, 0)
	}
	return max(t.Rungs[len(t.Rungs)-1].After, 0)
}

// fadesAway reports that time alone was seen to let go of everything. What is
// left of a second filling is then no leak.
func fadesAway(t record.Trace) bool {
	return t.Patience != nil && t.Patience.ReleasedNs >= 0 && hasHeld(t)
}

// keptVerdict tells the two verdicts of what was held.
func keptVerdict(t record.Trace) record.Verdict {
	if stalled(t) {
		return record.Stalled
	}
	return record.Held
}

// neverLetGo reports a charge that neither time nor a rung was seen to free,
// though rungs were to be climbed.
func neverLetGo(t record.Trace) bool {
	return !t.InPlace && t.Settle.Bytes > 0 && len(t.Rungs) == 0 && !fadesAway(t)
}

// unproven says why what is left is no leak yet: a rung that would have freed
// it was not climbed. The milder rungs do not matter, since deleting the link
// does what they do; a listener and a process outlive a link.
func unproven(t record.Trace, left int64, pinned int) string {
	deleted := false
	for _, r := range t.Rungs {
		switch r.Rung {
		case record.RungDelete, record.RungLowerGone, record.RungListener, record.RungProcessEnd:
		default:
			continue
		}
		if r.Error != "" {
			return fmt.Sprintf("%s (%s) failed: %s; so %s no leak yet",
				r.Rung, r.On, r.Error, remains(left, pinned))
		}
		deleted = deleted || r.Rung == record.RungDelete || r.Rung == record.RungLowerGone
	}
	if left > 0 && !deleted {
		return fmt.Sprintf("the ladder ended before a link was deleted; so %s no leak yet", remains(left, pinned))
	}
	return ""
}

func remains(left int64, pinned int) string {
	if left > 0 {
		return fmt.Sprintf("the %d bytes still charged prove", left)
	}
	return fmt.Sprintf("%s still there after closing prove", count(pinned, "socket"))
}

// gaveUp expects that nothing is held and no send refused. A sender that stopped
// early on a full socket has not shown that all of its packets come free.
func gaveUp(t record.Trace) bool {
	return t.Blocked > 0 && t.Sent < t.Planned-refusals(t)
}

func refusals(t record.Trace) int {
	all := 0
	for _, n := range t.Refused {
		all += n
	}
	return all
}

// mostRefused reports that a link or its queue refused at least half of what it
// was given.
func mostRefused(t record.Trace) bool {
	all := refusals(t)
	return all > 0 && all >= t.Sent
}

// refused expects that nothing is held. ENOBUFS is what load gives too, so once
// is not enough; any other errno that no ICMP error explains is the link's word.
func refused(t record.Trace) bool {
	for errno, n := range t.Refused {
		if errno != "ENOBUFS" && n > 0 {
			return true
		}
	}
	return t.RestProbe != ""
}
