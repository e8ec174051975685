// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"skleak/scenarios"
)

// Snapshot is what Make makes of Facts.
type Snapshot struct {
	Kernel    string
	Scenarios []scenarios.Scenario
	// Remarks are what scenarios cannot say, or say otherwise, a line each.
	Remarks []string
	// Left are links that no scenario sends through, and why.
	Left []string
}

// Make makes a scenario for each link that can send, with what that link is built
// of; those named by only, or all where it is empty. Every scenario passes Check.
func Make(f Facts, only []string) Snapshot {
	s := Snapshot{Kernel: f.Kernel}
	for _, u := range f.Unread {
		s.Remarks = append(s.Remarks, "not read: "+u)
	}
	names := scenarioNames(f)
	for _, l := range f.Links {
		if len(only) > 0 && !slices.Contains(only, l.Name) {
			continue
		}
		if why := Unfit(f, l); why != "" {
			s.Left = append(s.Left, l.Name+": "+why)
			continue
		}
		m := maker{facts: f, names: linkNames(f), said: map[string]bool{}}
		sc := m.scenario(names[l.Index], l)
		if err := sc.Check(); err != nil {
			s.Left = append(s.Left, fmt.Sprintf("%s: no scenario can say it: %v", l.Name, err))
			continue
		}
		s.Scenarios = append(s.Scenarios, sc)
		for _, r := range m.remarks {
			if !slices.Contains(s.Remarks, r) {
				s.Remarks = append(s.Remarks, r)
			}
		}
	}
	return s
}

// Unfit says why nothing can be sent through a link by itself; "" if it can.
func Unfit(f Facts, l Link) string {
	switch {
	case l.Loopback:
		return "the loopback"
	case !l.Up:
		return "it is down"
	case len(v4Addresses(l)) == 0:
		return "it has no IPv4 address"
	}
	if master, ok := f.link(l.Master); ok && master.Kind != "vrf" {
		return "it is a port of " + master.Name + ", which sends"
	}
	if !l.Carrier {
		return "it has no carrier"
	}
	return ""
}

// v4Addresses are those a scenario takes: IPv6 is off there.
func v4Addresses(l Link) []string {
	var out []string
	for _, a := range l.Addresses {
		if p, err := netip.ParsePrefix(a); err == nil && p.Addr().Is4() {
			out = append(out, p.String())
		}
	}
	return out
}

// maker makes one scenario.
type maker struct {
	facts Facts
	// names are what links are called in scenarios, by index.
	names map[int]string
	// in are the links of this scenario.
	in      []Link
	fars    int
	remarks []string
	said    map[string]bool
}

// remark says something of a link once.
func (m *maker) remark(l Link, format string, args ...any) {
	m.note(m.name(l.Index) + ": " + fmt.Sprintf(format, args...))
}

func (m *maker) note(text string) {
	if !m.said[text] {
		m.said[text] = true
		m.remarks = append(m.remarks, text)
	}
}

func (m *maker) name(index int) string { return m.names[index] }

func itoa(n int) string { return strconv.Itoa(n) }

// family is the first part of the scenarios' names.
const family = "snapshot"

func (m *maker) scenario(name string, via Link) scenarios.Scenario {
	m.in = m.facts.below(via)
	sc := scenarios.Scenario{
		Name:  family + "/" + name,
		About: about(m.name(via.Index), m.facts.Kernel),
		Traffic: scenarios.Traffic{
			Socket: scenarios.SocketHdrIncl, Packet: "experimental", Via: []string{m.name(via.Index)},
			Interface: scenarios.InterfaceMulticastIf, Style: scenarios.StylePollFirst, Count: scenarios.DefaultCount,
		},
	}
	made := map[int]bool{}
	for _, l := range m.in {
		if made[l.Index] {
			continue
		}
		link := m.link(l)
		made[l.Index] = true
		if peer, ok := m.peer(l); ok {
			made[peer.Index] = true
		}
		sc.Links = append(sc.Links, link)
	}
	sc.Routes = m.routes()
	sc.Filters = m.filters()
	sc.Expect = m.expect(sc)
	return sc
}

func about(via, kernel string) string {
	if kernel = printable(kernel); kernel == "" {
		return "Through " + via + ", as a host has it."
	}
	const most = 64
	return fmt.Sprintf("Through %s, as a host with kernel %.*s has it.", via, most, kernel)
}

// printable leaves out what a line of text cannot have.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
}

// link is one link with what every link may have.
func (m *maker) link(l Link) scenarios.Link {
	out := scenarios.Link{Common: m.common(l)}
	if len(l.Unsaid) > 0 {
		m.remark(l, "not said: %s", strings.Join(l.Unsaid, ", "))
	}
	own := true
	if l.Kind == "veth" {
		out.Options = m.veth(l)
	} else if out.Options = m.options(l); out.Options == nil || out.Options.Check() != nil {
		out.Options, own = m.standIn(l), false
	}
	out.Qdisc = m.queue(l, own)
	if !keepsMAC(out) {
		out.MAC = ""
	}
	return out
}

// keepsMAC: others have theirs from below, or from their ports.
func keepsMAC(l scenarios.Link) bool {
	return slices.Contains([]string{"veth", "dummy", "tap", "bridge"}, l.Kind())
}

// veth is a pair. An end in another namespace was not looked at.
func (m *maker) veth(l Link) scenarios.LinkOptions {
	peer, ok := m.peer(l)
	if !ok {
		m.remark(l, "its other end is in another namespace and was not looked at: here it takes all")
		return m.farVeth()
	}
	common := m.common(peer)
	common.Qdisc = m.queue(peer, true)
	return &scenarios.VethOptions{Peer: common}
}

// peer is the other end of a veth, where that is in the same namespace.
func (m *maker) peer(l Link) (Link, bool) {
	if l.Kind != "veth" || l.Elsewhere {
		return Link{}, false
	}
	peer, ok := m.facts.link(l.Lower)
	return peer, ok && peer.Kind == "veth" && peer.Lower == l.Index && !peer.Elsewhere && peer.Index != l.Index
}

func (m *maker) queue(l Link, ownDefault bool) *scenarios.Qdisc {
	q := queueing{facts: m.facts, link: l, ownDefault: ownDefault, remark: func(format string, args ...any) { m.remark(l, format, args...) }}
	found := q.queue()
	if found != nil && found.Options.Check() != nil {
		m.remark(l, "qdisc %s: its settings are beyond what a scenario may say; here it is left out", found.Kind())
		return nil
	}
	return found
}

func (m *maker) common(l Link) scenarios.Common {
	c := scenarios.Common{Name: m.name(l.Index), Addresses: v4Addresses(l), Down: !l.Up, MAC: unicastMAC(l.MAC)}
	if len(c.Addresses) < len(l.Addresses) && slices.ContainsFunc(l.Addresses, globalV6) {
		m.remark(l, "IPv6 addresses: not said, IPv6 is off here")
	}
	const usualMTU, least, most = 1500, 68, 65535
	if l.MTU != usualMTU || slices.Contains(tunnels(), l.Kind) {
		if c.MTU = l.MTU; l.MTU < least || l.MTU > most {
			m.remark(l, "mtu %d: not said", l.MTU)
			c.MTU = 0
		}
	}
	if n := l.TxQueueLen; n != usualQueue(l.Kind) && n >= 0 && int64(n) <= 1<<31-1 {
		c.TxQueueLen = &n
	}
	if master, ok := m.facts.link(l.Master); ok && master.Index != l.Index && m.has(master) {
		if scenarios.LinkKind(master.Kind).On == scenarios.OnPorts {
			c.Master = m.name(master.Index)
		} else {
			m.remark(l, "it is a port of %s, a %s: not said", m.name(master.Index), master.Kind)
		}
	}
	c.Neighbours = m.neighbours(l)
	return c
}

func globalV6(a string) bool {
	p, err := netip.ParsePrefix(a)
	return err == nil && p.Addr().Is6() && !p.Addr().IsLinkLocalUnicast()
}

// usualQueue is the txqueuelen a new link of a kind has.
func usualQueue(kind string) int {
	if kind == "tun" || kind == "macvtap" {
		return 500 // TUN_READQ_SIZE of drivers/net/tun.c and macvtap.c
	}
	return 1000 // DEFAULT_TX_QUEUE_LEN
}

// unicastMAC is "" for what no link can be given.
func unicastMAC(s string) string {
	a, err := net.ParseMAC(s)
	if err != nil || len(a) != 6 || a[0]&1 != 0 || slices.Equal(a, make(net.HardwareAddr, 6)) {
		return ""
	}
	return a.String()
}

func (m *maker) has(l Link) bool {
	return slices.ContainsFunc(m.in, func(o Link) bool { return o.Index == l.Index })
}

// lowerName is the name of the link that l is built upon, "" where it is not in the
// scenario.
func (m *maker) lowerName(l Link) string {
	lower, ok := m.facts.link(l.Lower)
	if !ok || l.Elsewhere || lower.Index == l.Index || !m.has(lower) {
		return ""
	}
	return m.name(lower.Index)
}

// neighbours are the entries with an answer: nobody answers in a scenario.
func (m *maker) neighbours(l Link) []scenarios.Neighbour {
	var out []scenarios.Neighbour
	for _, n := range m.facts.Neighbours {
		a, err := netip.ParseAddr(n.Address)
		if n.Link != l.Index || err != nil || !a.Is4() {
			continue
		}
		mac := unicastMAC(n.LLAddr)
		switch {
		case n.State == "FAILED" || n.State == "INCOMPLETE" || mac == "":
			m.remark(l, "neighbour %s is %s: here it does not answer either", a, n.State)
			continue
		case n.State != "PERMANENT":
			m.remark(l, "neighbour %s is %s: here it is permanent", a, n.State)
		}
		out = append(out, scenarios.Neighbour{Address: a.String(), LLAddr: mac})
	}
	return out
}
