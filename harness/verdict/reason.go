// SPDX-License-Identifier: GPL-2.0-only

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
		return heldReason(t, f, s) + "; " + silenceReason(t, s)
	case record.Held:
		return heldReason(t, f, s) + "; still writable"
	case record.Refused:
		return refusedReason(t, f)
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
	if t.Settle.Bytes <= 0 {
		return fmt.Sprintf("%d bytes were charged for longer than %s while packets were sent, the oldest for %s; all gone %s after the last of %s",
			f.HeldBytes, short(seconds(t.WindowNs)), short(seconds(s.oldest)), short(seconds(t.SettleNs)), count(t.Sent, "packet"))
	}
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

// silenceReason says when poll said not writable: at the end, or for a time.
func silenceReason(t record.Trace, s socketFacts) string {
	if !t.Settle.Writable {
		return fmt.Sprintf("poll says not writable (limit %d)", s.half())
	}
	for _, sock := range t.Sockets {
		if w := sock.Course.Worst; silenced(w) {
			return fmt.Sprintf("poll said not writable for %s from packet %d on, when %d of %d bytes were older than %s (limit %d)",
				short(seconds(w.ForNs)), w.Packets, w.HeldBytes, w.Bytes, short(seconds(t.WindowNs)), sock.SndBuf/2)
		}
	}
	return "still writable"
}

func refusedReason(t record.Trace, f Finding) string {
	text := "sends refused"
	if n := refusals(t); n > 0 {
		text = fmt.Sprintf("%d of %d sends refused: %s", n, n+t.Sent, counts(t.Refused))
	}
	if t.RestProbe != "" {
		text += fmt.Sprintf("; one more after settling gave %s", t.RestProbe)
	}
	if f.HeldBytes > 0 {
		text += fmt.Sprintf("; of the %d taken %d bytes are held", t.Sent, f.HeldBytes)
	}
	return text
}

// counts is "ENOBUFS 12, EPERM 1".
func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	return strings.Join(parts, ", ")
}

// remarks are what stands beside any verdict.
func remarks(t record.Trace, f Finding) string {
	text := ""
	if n := refusals(t); n > 0 && f.Verdict != record.Refused {
		text += fmt.Sprintf("; %d of %d sends refused: %s", n, n+t.Sent, counts(t.Refused))
	}
	if t.InPlace && f.Verdict.NeedsHolder() {
		text += "; nothing was undone to see what lets go"
	}
	if len(t.Reported) > 0 {
		text += "; ICMP errors came back: " + counts(t.Reported)
	}
	for _, s := range t.Sockets {
		if asked := 2 * s.SndBufAsked; s.SndBuf < asked {
			text += fmt.Sprintf("; the send buffer asked for, %d, was cut to %d (net.core.wmem_max)", asked, s.SndBuf)
			break
		}
	}
	return text
}
