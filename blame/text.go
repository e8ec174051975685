// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"io"
	"strings"
)

// Write prints the finding for people: the answer, its numbers, the links, what to
// do.
func (f Finding) Write(w io.Writer) error {
	var b strings.Builder
	for _, s := range f.Sockets {
		fmt.Fprintf(&b, "%s (%d) fd %d, %s%s: %s\n", f.Comm, f.PID, s.FD, s.Kind, protocol(s), way(s))
	}
	switch f.Outcome {
	case Healthy:
		fmt.Fprintf(&b, "healthy: %s\n", f.Reason)
	case Holds:
		var names []string
		for _, h := range f.Holders {
			names = append(names, h.Name)
		}
		fmt.Fprintf(&b, "held by %s (by %s)\n  %s\n", strings.Join(names, " and "), f.By, f.Reason)
	default:
		fmt.Fprintf(&b, "held, and by whom is not known\n  %s\n", f.Reason)
	}
	b.WriteString(f.links())
	for _, h := range f.Waiting {
		if h.Link == "" && h.Packets > 0 {
			fmt.Fprintf(&b, "  %s: %d packets of somebody wait there\n", h.Name, h.Packets)
		}
	}
	for i, c := range f.Cures {
		if i == 0 {
			b.WriteString("what to do\n")
		}
		fmt.Fprintf(&b, "  - %s\n", c.About)
		if c.Command != "" {
			fmt.Fprintf(&b, "      %s\n", c.Command)
		}
	}
	for i, n := range f.Next {
		if i == 0 {
			b.WriteString("what would tell\n")
		}
		fmt.Fprintf(&b, "  - %s\n", n)
	}
	for _, n := range f.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) links() string {
	width := 4
	for _, l := range f.Links {
		width = max(width, len(l.Link))
	}
	var b strings.Builder
	for _, l := range f.Links {
		mark := "?"
		switch {
		case l.Holds:
			mark = "holds"
		case l.Acquitted:
			mark = "clear"
		}
		fmt.Fprintf(&b, "  %-*s  %-5s  %s\n", width, l.Link, mark, l.Why)
	}
	return b.String()
}

func protocol(s Socket) string {
	if s.Protocol == 0 {
		return ""
	}
	return fmt.Sprintf(" protocol %d", s.Protocol)
}

// way is how far a socket is on its way to silence.
func way(s Socket) string {
	switch {
	case s.SndBuf == 0:
		return fmt.Sprintf("%d bytes charged", s.Charge)
	case s.Silent():
		return fmt.Sprintf("%d bytes charged, the limit is %d: silent, whoever waits for writable sends nothing on any link", s.Charge, s.SndBuf/2)
	}
	return fmt.Sprintf("%d bytes charged, %.0f %% of the way to silence at %d", s.Charge, float64(s.Charge)*200/float64(s.SndBuf), s.SndBuf/2)
}
