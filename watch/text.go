// SPDX-License-Identifier: GPL-2.0-only

package watch

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"skleak/procsock"
	"skleak/reports"
)

// Table is a look as a table of at most so many lines of so many columns; 0 is no
// bound. What it cuts off is counted in its last line.
func (l Look) Table(lines, columns int) []string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROCESS\tFD\tSOCKET\tNETNS\tCHARGED\tSEND BUFFER\tTO SILENCE\tGROWTH\tSILENT")
	for _, s := range l.Sockets {
		fmt.Fprintln(w, strings.Join([]string{
			s.owner(), s.descriptor(), s.Title(), s.netns(), bytesText(s.Charge), bytesText(s.SndBuf),
			s.share(), s.growth(), s.silent(l.Time),
		}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return []string{err.Error()} // strings.Builder has none
	}
	rows := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	rows = append(rows, l.memory()...)
	if lines > 0 && len(rows) > lines {
		left := len(rows) - lines + 1
		rows = append(rows[:max(lines-1, 1)], fmt.Sprintf("and %d more", left))
	}
	if columns > 0 {
		for i, row := range rows {
			if r := []rune(row); len(r) > columns {
				rows[i] = string(r[:columns])
			}
		}
	}
	return rows
}

// memory tells of the processes whose memory grows.
func (l Look) memory() []string {
	var out []string
	for _, p := range l.Processes {
		if p.RSSPerSecond != nil {
			out = append(out, fmt.Sprintf("%s[%d] has %s of memory, growing by %s a second",
				reports.Harmless(p.Comm), p.PID, humanize.IBytes(uint64(p.RSS)), humanize.IBytes(uint64(*p.RSSPerSecond))))
		}
	}
	return out
}

// Line is a socket in one line, for a log.
func (s Socket) Line(at time.Time) string {
	parts := []string{at.Format("15:04:05.000"), s.owner()}
	if len(s.Owners) > 0 {
		parts = append(parts, "fd "+s.descriptor())
	}
	parts = append(parts, s.Title())
	if s.NetnsName != "" {
		parts = append(parts, "in "+s.netns())
	}
	text := strings.Join(parts, " ") + ": " + bytesText(s.Charge) + " charged"
	if s.SndBuf != nil {
		text += fmt.Sprintf(" of %s, %s of the way to silence", bytesText(s.SndBuf), s.share())
	} else {
		text += ", send buffer not known"
	}
	if s.Growth != nil {
		text += ", grows by " + s.growth()
	}
	if silent := s.silent(at); silent != "" {
		text += ", silent " + silent
	}
	if !s.Exact {
		text += fmt.Sprintf(" (from %s, not exact)", s.By)
	}
	return text
}

func (s Socket) owner() string {
	if len(s.Owners) == 0 {
		return "not known"
	}
	name := fmt.Sprintf("%s[%d]", reports.Harmless(s.Comm), s.PID)
	if others := others(s.Owners); others > 0 {
		name += fmt.Sprintf("+%d", others)
	}
	return name
}

// others are the processes that own a socket beside the first.
func others(owners []procsock.Owner) int {
	var pids []int
	for _, o := range owners {
		if !slices.Contains(pids, o.PID) {
			pids = append(pids, o.PID)
		}
	}
	return len(pids) - 1
}

func (s Socket) descriptor() string {
	if len(s.Owners) == 0 {
		return "-"
	}
	return fmt.Sprint(s.FD)
}

// Title is what kind of socket it is: "raw ospf", "udp 127.0.0.1:53".
func (s Socket) Title() string {
	switch s.Kind {
	case procsock.UDP, procsock.UDP6:
		host := s.Local
		if host == "" {
			host = "*"
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return fmt.Sprintf("%s %s:%d", s.Kind, host, s.Port)
	case procsock.Packet:
		return fmt.Sprintf("packet 0x%04x", s.Protocol)
	default:
		return s.Kind + " " + ProtocolName(s.Protocol)
	}
}

// ProtocolName is the name of an IP protocol that daemons use raw sockets for
// (IANA's assigned internet protocol numbers), else its number.
func ProtocolName(number int) string {
	names := map[int]string{
		1: "icmp", 2: "igmp", 46: "rsvp", 47: "gre", 50: "esp", 58: "icmpv6", 88: "eigrp", 89: "ospf",
		103: "pim", 112: "vrrp", 115: "l2tp", 255: "any",
	}
	if name := names[number]; name != "" {
		return name
	}
	return fmt.Sprint(number)
}

func (s Socket) netns() string {
	if s.NetnsName != "" {
		return reports.Harmless(s.NetnsName)
	}
	return fmt.Sprint(s.Netns)
}

func bytesText(n *int64) string {
	if n == nil {
		return "not known"
	}
	return fmt.Sprint(*n)
}

func (s Socket) share() string {
	if s.Share == nil {
		return "not known"
	}
	return fmt.Sprintf("%.0f %%", min(*s.Share*100, 999))
}

func (s Socket) growth() string {
	if s.Growth == nil {
		return ""
	}
	return fmt.Sprintf("%.3g B/s", s.Growth.BytesPerSecond)
}

// silent says since when it is, or in what time it will be.
func (s Socket) silent(now time.Time) string {
	switch {
	case s.BlockedSince != nil && s.BlockedBefore:
		return fmt.Sprintf("since before %s", s.BlockedSince.Format("15:04:05"))
	case s.BlockedSince != nil:
		return fmt.Sprintf("since %s (%s)", s.BlockedSince.Format("15:04:05"), Span(now.Sub(*s.BlockedSince)))
	case s.LeftSeconds != nil:
		return "in " + Span(time.Duration(*s.LeftSeconds*float64(time.Second)))
	}
	return ""
}

// Span is a time as people say it: "3.2 s", "12 min 5 s", "4 h 2 min", "11 d".
func Span(d time.Duration) string {
	s := int64(d.Round(time.Second).Seconds())
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d", s/86400)
}
