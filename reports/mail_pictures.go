// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"skleak/record"
)

// pictures quote the socket, the links, the qdiscs and the neighbours while the
// charge was held, in the manner of /proc/net/raw, ip(8) and tc(8).
func (m *mail) pictures(t *record.Trace) {
	held := state(t, "held")
	if held == nil {
		held = state(t, "end")
	}
	if held == nil {
		return
	}
	var raw []string
	if len(held.ProcNetRaw) > 0 {
		raw = append(raw, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops")
	}
	m.section("/proc/net/raw then", append(raw, held.ProcNetRaw...))
	var links []string
	for _, l := range held.Links {
		if l.Name == "lo" {
			continue
		}
		links = append(links, linkLines(l)...)
	}
	m.section("Links then (as ip -d -s link and ethtool -i show them)", links)
	var qdiscs []string
	for _, q := range held.Qdiscs {
		if q.Link == "lo" {
			continue
		}
		qdiscs = append(qdiscs, qdiscLines(q)...)
	}
	m.section("Queueing disciplines then (as tc -s qdisc shows them)", qdiscs)
	var neighbours []string
	for _, n := range held.Neighbours {
		if n.State != "NOARP" {
			neighbours = append(neighbours, strings.Join(strings.Fields(fmt.Sprintf("%s dev %s %s %s", n.Address, n.Link, lladdr(n.LLAddr), n.State)), " "))
		}
	}
	m.section("Neighbours then", neighbours)
	var queues []string
	for _, q := range held.Queues {
		queues = append(queues, fmt.Sprintf("queue %d (%s): %d wait, %d dropped as it was full, %d could not be told; listener saw %d, withheld %d, accepted %d, dropped %d",
			q.Number, strings.Join(q.Hooks, ", "), q.Waiting, q.QueueDropped, q.UserDropped, q.Seen, q.Withheld, q.Accepted, q.Dropped))
	}
	m.section("NFQUEUEs then", queues)
}

func lladdr(a string) string {
	if a == "" {
		return ""
	}
	return "lladdr " + a
}

func linkLines(l record.LinkState) []string {
	name := l.Name
	if l.Peer != "" {
		name += "@" + l.Peer
	}
	lines := []string{fmt.Sprintf("%d: %s: <%s> mtu %d qlen %d state %s%s", l.Index, name,
		strings.ToUpper(strings.ReplaceAll(l.Flags, "|", ",")), l.MTU, l.TxQLen, strings.ToUpper(l.OperState), inside(l.Netns))}
	more := "    " + l.Kind
	if l.LLAddr != "" {
		more += " " + l.LLAddr
	}
	if len(l.Lower) > 0 {
		more += " over " + strings.Join(l.Lower, ", ")
	}
	if l.Via {
		more += " (sent through)"
	}
	lines = append(lines, more)
	for _, a := range l.Addresses {
		lines = append(lines, "    inet "+a)
	}
	if l.Driver != "" {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("    driver %s firmware %s bus %s", l.Driver, orNone(l.Firmware), orNone(l.Bus)), " "))
	}
	return append(lines, fmt.Sprintf("    TX packets %d dropped %d errors %d  RX packets %d dropped %d",
		l.TxPackets, l.TxDropped, l.TxErrors, l.RxPackets, l.RxDropped))
}

func inside(netns string) string {
	if netns == "" {
		return ""
	}
	return " netns " + netns
}

func orNone(s string) string {
	if s == "" || s == "N/A" {
		return "none"
	}
	return s
}

func qdiscLines(q record.QdiscState) []string {
	return []string{
		fmt.Sprintf("qdisc %s %s dev %s%s parent %s", q.Kind, q.Handle, q.Link, inside(q.Netns), q.Parent),
		fmt.Sprintf(" Sent %d bytes %d pkt (dropped %d, overlimits %d requeues %d)", q.Bytes, q.Packets, q.Drops, q.Overlimits, q.Requeues),
		fmt.Sprintf(" backlog %db %dp", q.Backlog, q.QLen),
	}
}

// kernel is what ran, as a developer asks for it.
func (m *mail) kernel(s seenOn, t *record.Trace) {
	k := s.run.Kernel
	lines := []string{
		fmt.Sprintf("Linux %s %s %s", k.Release, k.Version, k.Arch),
		"From: " + vanilla(k),
	}
	if k.Cmdline != "" {
		lines = append(lines, "Command line: "+k.Cmdline)
	}
	if k.Config != "" {
		lines = append(lines, "sha256 of its .config: "+k.Config)
	}
	if t != nil && t.Facts != nil {
		lines = append(lines, "Tainted: "+taintText(t.Facts.Tainted))
		lines = append(lines, t.Facts.Config...)
	}
	m.section("Kernel", lines)
}

// vanilla says what is known of whether the kernel is one of kernel.org's own,
// which reporting-issues asks for.
func vanilla(k record.Kernel) string {
	source, _, named := strings.Cut(k.Source, ":")
	switch {
	case named && source == "debian":
		return k.Source + ", a distribution's package, not a vanilla kernel"
	case named:
		return k.Source + "; whether that is vanilla only its builder knows"
	case regexp.MustCompile(`^\d+\.\d+(\.\d+)?(-rc\d+)?\+?$`).MatchString(k.Release):
		return "this host; the release has no suffix of a distribution, so it may be vanilla"
	default:
		return "this host; the suffix of the release is not that of a vanilla kernel"
	}
}

// taintFlags are the letters of the bits of tainted, from 0 on
// (Documentation/admin-guide/tainted-kernels.rst).
const taintFlags = "PFSRMBUDAWCIOELKXTNJ"

func taintText(bits uint64) string {
	if bits == 0 {
		return "no"
	}
	var letters []string
	for i := range 64 {
		if bits&(1<<i) == 0 {
			continue
		}
		letter := fmt.Sprintf("bit %d", i)
		if i < len(taintFlags) {
			letter = taintFlags[i : i+1]
		}
		letters = append(letters, letter)
	}
	return fmt.Sprintf("%s (%d, Documentation/admin-guide/tainted-kernels.rst)", strings.Join(letters, ""), bits)
}

// maxLogLines bounds what is quoted of a kernel's log.
const maxLogLines = 30

// log is what the kernel said meanwhile: warnings, crashes, and the last lines.
func (m *mail) log(s seenOn, t *record.Trace) {
	var crashes []string
	for _, c := range s.run.Crashes {
		crashes = append(crashes, crashLine(c))
	}
	m.section("Crashes of this kernel", crashes)
	m.section("Kernel warnings meanwhile", tail(s.result.Warnings, maxLogLines))
	if t == nil {
		return
	}
	var lines []string
	for _, st := range t.State {
		lines = append(lines, st.KernelLog...)
	}
	m.section("Kernel log meanwhile (other sandboxes run beside this one)", tail(lines, maxLogLines))
}

// tail is the last lines of many.
func tail(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append([]string{fmt.Sprintf("[%d lines before these]", len(lines)-most)}, lines[len(lines)-most:]...)
}

// howTo says how to see it again: with skleak, by hand, and what was built.
func (m *mail) howTo(s seenOn) {
	command := "  skleak run " + m.c.scenario
	if source, _, named := strings.Cut(s.run.Kernel.Source, ":"); named && source != "" {
		command = fmt.Sprintf("  skleak vm run --kernel %s %s", s.run.Kernel.Source, m.c.scenario)
	}
	m.section("How to reproduce", []string{"With skleak, as root:", "", command})
	m.section("The scenario (save it, and give skleak run the file)", lines(m.e.scenario(m.c.scenario)))
	script := m.e.script(m.c.scenario)
	if script == "" {
		return
	}
	m.line("Without skleak: the script below builds it in a namespace of its own, sends,")
	m.line("and prints KTAP. It needs root, iproute2 and a C compiler.")
	m.line("")
	// NB: cut lines would break the script.
	for _, l := range lines(script) {
		m.line(l)
	}
	m.line("")
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	// Tabs would be shown escaped.
	return strings.Split(strings.TrimRight(strings.ReplaceAll(s, "\t", "        "), "\n"), "\n")
}

// sortedKeys are the keys of a map, sorted.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
