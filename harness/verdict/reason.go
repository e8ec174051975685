package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skleak/record"
)

// reason is the evidence of the verdict in one line.
func reason(t record.Trace, f Finding, s socketFacts) string {
	switch f.Verdict {
	case record.Underflow:
		return underflowReason(t)
	case record.Leaked:
		return leakReason(t, f)
	case record.Orphaned:
		return orphanReason(t, f)
	case record.LostWakeup:
		return fmt.Sprintf("a waiter parked in poll slept on for %s with %d bytes charged, while a fresh poll said writable (limit %d)",
			short(seconds(t.Waiter.AsleepNs)), t.Waiter.AsleepBytes, s.half())
	case record.Stalled:
		return heldReason(t, f, s) + fmt.Sprintf("; poll says not writable (limit %d)", s.half())
	case record.Held:
		return heldReason(t, f, s) + "; still writable"
	case record.Refused:
		return refusedReason(t)
	default:
		return fmt.Sprintf("nothing held after %s; %d bytes at the most", count(t.Sent, "packet"), f.PeakBytes)
	}
}

func underflowReason(t record.Trace) string {
	for i, s := range t.Sockets {
		if i < len(t.Settle.PerSocket) && t.Settle.PerSocket[i] >= saturated {
			return fmt.Sprintf("socket %s reads 0x%08X: its counter was taken below zero", s.Name, t.Settle.PerSocket[i])
		}
		if s.Saturated || s.Peak >= saturated {
			return fmt.Sprintf("socket %s was seen saturated: its counter was taken below zero", s.Name)
		}
	}
	return "a socket was seen saturated: its counter was taken below zero"
}

func leakReason(t record.Trace, f Finding) string {
	var parts []string
	if left := leftCharged(t); left > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes still charged after the last of %s", left, count(len(t.Rungs), "rung")))
	}
	if f.suspect.evidence != "" {
		parts = append(parts, f.suspect.evidence)
	}
	if f.PinnedSockets > 0 {
		parts = append(parts, fmt.Sprintf("%s pinned after closing (%d in use before, %d after)",
			count(f.PinnedSockets, "socket"), t.SocketsBefore, t.SocketsAfter))
	}
	return strings.Join(parts, "; ")
}

func heldReason(t record.Trace, f Finding, s socketFacts) string {
	text := fmt.Sprintf("%d bytes held %s after the last of %s", f.HeldBytes, short(seconds(t.SettleNs)), count(t.Sent, "packet"))
	switch p := t.Patience; {
	case p == nil:
	case f.SelfReleaseMs != nil:
		text += fmt.Sprintf(", gone by themselves after %s", short(seconds(p.ReleasedNs)))
	default:
		text += fmt.Sprintf(", %d after %s more", p.After, short(seconds(p.ForNs)))
	}
	if len(t.Sockets) > 1 {
		text += fmt.Sprintf(", most by socket %s (%d)", s.name, s.held)
	}
	return text
}

func refusedReason(t record.Trace) string {
	var parts []string
	for _, errno := range slices.Sorted(maps.Keys(t.Refused)) {
		parts = append(parts, fmt.Sprintf("%s %d", errno, t.Refused[errno]))
	}
	text := "sends refused: " + strings.Join(parts, ", ")
	if len(parts) == 0 {
		text = "sends refused"
	}
	text += fmt.Sprintf("; %d taken", t.Sent)
	if t.RestProbe != "" {
		text += fmt.Sprintf("; one more after settling gave %s", t.RestProbe)
	}
	return text
}
