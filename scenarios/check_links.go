// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode"
)

const (
	minMTU = 68
	maxMTU = 65535
	// maxName is IFNAMSIZ less the NUL.
	maxName = 15
)

// checksAmong is a kind whose options concern its Common part or other links.
type checksAmong interface {
	checkAmong(l Link, links []Link) error
}

func checkLinks(s Scenario) error {
	if len(s.Links) == 0 || len(s.Links) > maxLinks {
		return wrong("links", fmt.Sprintf("%d links", len(s.Links)), fmt.Sprintf("give 1 to %d", maxLinks))
	}
	seen := map[[2]string]bool{}
	for i, l := range s.Links {
		at := index("links", i)
		if l.Options == nil {
			return wrong(at+".kind", "a link without a kind", "give it Options")
		}
		if err := l.check(); err != nil {
			return under(at, err)
		}
		if err := l.Options.Check(); err != nil {
			return under(at, err)
		}
	}
	for _, e := range ends(s.Links) {
		key := [2]string{e.common.Netns, e.common.Name}
		if seen[key] {
			return wrong("links"+e.path+".name", "a second link "+shown(e.common.Name), "name it otherwise, or put it into another namespace")
		}
		seen[key] = true
		if err := checkAddresses(*e.common, s.IPv6); err != nil {
			return under("links"+e.path, err)
		}
	}
	if _, err := BuildOrder(s.Links); err != nil {
		return err
	}
	return checkAmong(s.Links)
}

func checkAmong(links []Link) error {
	for i, l := range links {
		c, ok := l.Options.(checksAmong)
		if !ok {
			continue
		}
		if err := c.checkAmong(l, links); err != nil {
			return under(index("links", i), err)
		}
	}
	return nil
}

// check checks one end of a link by itself.
func (c Common) check() error {
	if err := checkInterface("link", c.Name); err != nil {
		return under("name", err)
	}
	if c.Netns != "" {
		if err := checkInterface("namespace", c.Netns); err != nil {
			return under("netns", err)
		}
	}
	if c.MTU != 0 && (c.MTU < minMTU || c.MTU > maxMTU) {
		return wrong("mtu", fmt.Sprintf("mtu of %d", c.MTU), fmt.Sprintf("give %d to %d", minMTU, maxMTU))
	}
	if q := c.TxQueueLen; q != nil && (*q < 0 || *q > maxInt32) {
		return wrong("txqueuelen", fmt.Sprintf("txqueuelen of %d", *q), "give 0 to 2147483647 packets")
	}
	if c.MAC != "" && !isMAC(c.MAC) {
		return wrong("mac", shown(c.MAC)+" is no hardware address", "write it like 02:00:00:00:00:01")
	}
	if c.Qdisc != nil {
		if c.Qdisc.Options == nil {
			return wrong("qdisc.kind", "a qdisc without a kind", "give it Options")
		}
		if err := c.Qdisc.Options.Check(); err != nil {
			return under("qdisc", err)
		}
	}
	for i, n := range c.Neighbours {
		if err := n.check(); err != nil {
			return under(index("neighbours", i), err)
		}
	}
	return oneOf("packet_socket", "use of a packet socket", c.PacketSocket, NoPacketSocket, UnreadPacketSocket, DrainPacketSocket)
}

func (n Neighbour) check() error {
	if !isAddress(n.Address) {
		return wrong("address", shown(n.Address)+" is no IP address", "write it like 10.9.9.2")
	}
	if !isMAC(n.LLAddr) {
		return wrong("lladdr", shown(n.LLAddr)+" is no hardware address", "write it like 02:00:00:00:00:02")
	}
	return nil
}

// checkAddresses checks the addresses, which may be IPv6 only where that is on.
func checkAddresses(c Common, ipv6 bool) error {
	for i, a := range c.Addresses {
		at := "address"
		if len(c.Addresses) > 1 {
			at = index(at, i)
		}
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return wrong(at, shown(a)+" is no address with a prefix length", "write it like 10.9.9.1/24")
		}
		if p.Addr().Is6() && !ipv6 {
			return wrong(at, shown(a)+" is IPv6, which is off", "add ipv6: true to the scenario")
		}
	}
	return nil
}

// checkInterface checks a name by dev_valid_name's rules (net/core/dev.c), and
// refuses what would confuse the reader too.
func checkInterface(what, name string) error {
	const do = "use 1 to 15 characters, none of them a space, slash, colon or percent sign"
	switch {
	case name == "":
		return wrong("", "a "+what+" without a name", do)
	case len(name) > maxName:
		return wrong("", fmt.Sprintf("%s name %s is %d characters long", what, shown(name), len(name)), do)
	case name == "." || name == ".." || name == "lo" || name == "all" || name == "default":
		return wrong("", fmt.Sprintf("%s name %s is taken", what, shown(name)), "name it otherwise")
	}
	bad := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsGraphic(r) || strings.ContainsRune(" /:%", r)
	}
	if strings.ContainsFunc(name, bad) {
		return wrong("", fmt.Sprintf("%s name %s", what, shown(name)), do)
	}
	return nil
}

func isMAC(s string) bool {
	m, err := net.ParseMAC(s)
	return err == nil && len(m) == 6
}

// check checks a reader by itself.
func (r Reader) check() error {
	if err := oneOf("mode", "mode of a reader", r.Mode, "", ReaderNone, ReaderDrain, ReaderSlow, ReaderStop); err != nil {
		return err
	}
	if slow := r.Mode == ReaderSlow; slow && !within(r.PPS, MinRate, MaxRate) {
		return wrong("pps", fmt.Sprintf("a slow reader of %v packets per second", r.PPS), fmt.Sprintf("give %v to %v", MinRate, MaxRate))
	} else if !slow && r.PPS != 0 {
		return wrong("pps", "pps for a reader that is not slow", "say mode: slow, or leave pps out")
	}
	if stop := r.Mode == ReaderStop; stop && (r.After < 1 || r.After > MaxCount) {
		return wrong("after", fmt.Sprintf("a reader that stops after %d packets", r.After), fmt.Sprintf("give 1 to %d", MaxCount))
	} else if !stop && r.After != 0 {
		return wrong("after", "after for a reader that does not stop", "say mode: stop, or leave after out")
	}
	return nil
}
