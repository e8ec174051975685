package verdict

import (
	"fmt"

	"skleak/record"
)

// Below these a rough skb count proves nothing: per-CPU caches keep some, and a
// sandbox that no longer sends may let go of, or hold again, a few hundred.
const (
	orphanLeastSent  = 2000
	orphanLeastShare = 0.75
)

// orphanLeast is for a count that gave back what CPUs had in hand. NAPI keeps
// up to 64 skbs for each CPU; 44 were the most seen in a sound guest.
const orphanLeast = 256

// rule sets the verdict, or the trouble, by precedence.
func (f *Finding) rule(t record.Trace) {
	left := leftCharged(t)
	switch {
	case underflowed(t):
		f.Verdict = record.Underflow
	case left > 0 && fadesAway(t):
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
	case t.Settle.Bytes > 0:
		f.Verdict = keptVerdict(t)
	case refused(t):
		f.Verdict = record.Refused
	case gaveUp(t):
		f.Trouble = fmt.Sprintf("the sender gave up after %d of %d packets on a full socket, yet nothing is held: something was slow, not stuck; run it again on a quieter machine", t.Sent, t.Planned)
	case stoodStill(t):
		f.Trouble = fmt.Sprintf("the socket had been full, and %s passed between the last send and the look at what it held: the machine stood still, run it again on a quieter one",
			short(seconds(t.Settle.AtNs-t.LastSendNs)))
	default:
		f.Verdict = record.Clean
	}
}

// lateLook is far longer than giving up a full socket and settling take.
const lateLook = 2_000_000_000

// stoodStill expects that nothing is held. Where a socket was full and the look
// came late, what held it may have let go by itself meanwhile.
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

// leftCharged is the charge after the last rung.
func leftCharged(t record.Trace) int64 {
	if len(t.Rungs) == 0 {
		return 0
	}
	return max(t.Rungs[len(t.Rungs)-1].After, 0)
}

// fadesAway reports that time alone was seen to let go of everything. What is
// left of a second filling is then no leak.
func fadesAway(t record.Trace) bool {
	return t.Patience != nil && t.Patience.ReleasedNs >= 0 && t.Settle.Bytes > 0
}

// keptVerdict tells the two verdicts of what was held at the end of settling.
func keptVerdict(t record.Trace) record.Verdict {
	if t.Settle.Writable {
		return record.Held
	}
	return record.Stalled
}

// neverLetGo reports a charge that neither time nor a rung was seen to free.
func neverLetGo(t record.Trace) bool {
	return t.Settle.Bytes > 0 && len(t.Rungs) == 0 && !fadesAway(t)
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

// orphaned expects that nothing is charged any more.
func orphaned(t record.Trace) bool {
	if _, ok := leftOver(t); ok {
		return ledgerOrphaned(t)
	}
	n, ok := orphans(t)
	// NB: patience is when others send, so what is counted then is not all ours.
	if ok && t.Orphans.By == "/sys/kernel/slab" && t.Patience == nil {
		return n >= orphanLeast
	}
	// What was refused was made too, and may have been copied and lost.
	made := t.Sent + refusals(t)
	return ok && made >= orphanLeastSent && float64(n) >= orphanLeastShare*float64(made)
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

// refused expects that nothing is held. ENOBUFS is what load gives too, so it
// must be the rule and not the exception.
func refused(t record.Trace) bool {
	for errno, n := range t.Refused {
		if errno != "ENOBUFS" && n > 0 {
			return true
		}
	}
	all := refusals(t)
	if t.RestProbe != "" {
		return true
	}
	return all > 0 && 2*float64(all) >= float64(t.Sent)+float64(all)
}
