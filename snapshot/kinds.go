// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"net/netip"
	"slices"

	"skleak/scenarios"
)

// far is the namespace of what is beyond the host.
const far = "far"

// Kinds whose mtu comes from below, or from what a tunnel puts before a packet.
func tunnels() []string {
	return []string{"vxlan", "geneve", "gre", "gretap", "ipip", "wireguard", "xfrm", "macsec"}
}

// options are a link's as a scenario has them; nil where a stand-in is needed.
//
//nolint:cyclop // a table, one case a kind
func (m *maker) options(l Link) scenarios.LinkOptions {
	lower := m.lowerName(l)
	switch l.Kind {
	case "tun":
		return &scenarios.TunOptions{Reader: m.reader(l), Queues: tunQueues(l), Backpressure: l.Backpressure}
	case "tap":
		return &scenarios.TapOptions{TunOptions: scenarios.TunOptions{Reader: m.reader(l), Queues: tunQueues(l), Backpressure: l.Backpressure}}
	case "dummy":
		return &scenarios.DummyOptions{}
	case "ifb":
		return &scenarios.IfbOptions{}
	case "nlmon":
		return &scenarios.NlmonOptions{}
	case "bridge":
		return &scenarios.BridgeOptions{}
	case "vlan":
		return onParent(lower, &scenarios.VlanOptions{Parent: lower, ID: l.ID})
	case "macvlan":
		return onParent(lower, &scenarios.MacvlanOptions{Parent: lower, Mode: l.Mode})
	case "macvtap":
		m.remark(l, "whether its program reads is not known: here one reads all")
		return onParent(lower, &scenarios.MacvtapOptions{
			MacvlanOptions: scenarios.MacvlanOptions{Parent: lower, Mode: l.Mode},
			Reader:         scenarios.Reader{Mode: scenarios.ReaderDrain},
		})
	case "ipvlan":
		return onParent(lower, &scenarios.IpvlanOptions{Parent: lower, Mode: l.Mode})
	case "bond":
		return &scenarios.BondOptions{Mode: l.Mode}
	case "team":
		m.remark(l, "the mode of a team is its daemon's: here it is roundrobin")
		return &scenarios.TeamOptions{}
	case "vxlan":
		return m.v4(l, &scenarios.VxlanOptions{Parent: lower, ID: l.ID, Local: l.Local, Remote: l.Remote, Port: vxlanPort(l)})
	case "geneve":
		return m.v4(l, &scenarios.GeneveOptions{Parent: lower, ID: l.ID, Remote: l.Remote})
	case "gre":
		return m.v4(l, &scenarios.GreOptions{Parent: lower, Local: l.Local, Remote: l.Remote})
	case "gretap":
		return m.v4(l, &scenarios.GretapOptions{GreOptions: scenarios.GreOptions{Parent: lower, Local: l.Local, Remote: l.Remote}})
	case "ipip":
		return m.v4(l, &scenarios.IpipOptions{GreOptions: scenarios.GreOptions{Parent: lower, Local: l.Local, Remote: l.Remote}})
	case "wireguard":
		m.remark(l, "keys are made anew, and its peer does not answer here")
		return &scenarios.WireguardOptions{Parent: lower, Endpoint: l.Remote}
	case "vrf":
		return &scenarios.VrfOptions{Table: l.ID}
	case "macsec":
		return onParent(lower, &scenarios.MacsecOptions{Parent: lower})
	case "xfrm":
		return &scenarios.XfrmOptions{Parent: lower, ID: l.ID}
	}
	return nil
}

// onParent is o, or nothing where the link below is not in the scenario.
func onParent(parent string, o scenarios.LinkOptions) scenarios.LinkOptions {
	if parent == "" {
		return nil
	}
	return o
}

// v4 is o, or nothing for a tunnel between IPv6 addresses: IPv6 is off.
func (m *maker) v4(l Link, o scenarios.LinkOptions) scenarios.LinkOptions {
	for _, end := range []string{l.Local, l.Remote} {
		if a, err := netip.ParseAddr(end); end != "" && (err != nil || !a.Is4()) {
			return nil
		}
	}
	return o
}

func vxlanPort(l Link) int {
	const usual = 4789
	if l.Port == usual {
		return 0
	}
	return l.Port
}

func tunQueues(l Link) int {
	if l.Queues < 2 {
		return 0
	}
	return l.Queues
}

// reader is the program at the far end of a TUN or TAP, by what was seen of it.
func (m *maker) reader(l Link) scenarios.Reader {
	waiting := m.facts.InRing(l)
	switch {
	case !l.Carrier:
		m.remark(l, "no program has it open; here one has, and does not read")
	case waiting > 0:
		m.remark(l, "%d packets wait in it for its program to read them: here nobody reads", waiting)
	case l.TxDropped > 0:
		m.remark(l, "it dropped %d packets, as it does when its program does not keep up: here nobody reads", l.TxDropped)
	default:
		m.remark(l, "nothing shows that its program does not read: here one reads all")
		return scenarios.Reader{Mode: scenarios.ReaderDrain}
	}
	return scenarios.Reader{Mode: scenarios.ReaderNone}
}

// InRing is how many packets left the queue of a TUN and were neither read nor
// dropped, or wait because the TUN stopped its queue.
func (f Facts) InRing(l Link) int {
	i := slices.IndexFunc(f.Qdiscs, func(q Qdisc) bool { return q.Link == l.Index && q.Parent == handleRoot && q.Kind != "noqueue" })
	if i < 0 {
		return 0
	}
	q := f.Qdiscs[i]
	gone := l.TxPackets + l.TxDropped
	if out := uint64(q.Packets); out > gone {
		return positive(out - gone)
	}
	return 0
}

// standIn is a link of a kind that a scenario has, in place of another: a veth for
// what is Ethernet, else a TUN that is read.
func (m *maker) standIn(l Link) scenarios.LinkOptions {
	what := "a " + l.Kind
	switch {
	case l.Kind == "" && l.Driver != "":
		what = "a card of driver " + l.Driver
	case l.Kind == "":
		what = "a device"
	}
	if l.Ethernet {
		m.remark(l, "%s: here a veth stands in for it, so its driver is not tried", what)
		return m.farVeth()
	}
	m.remark(l, "%s: here a TUN that is read stands in for it, so its driver is not tried", what)
	return &scenarios.TunOptions{Reader: scenarios.Reader{Mode: scenarios.ReaderDrain}}
}

// farVeth is a veth whose other end is beyond the host.
func (m *maker) farVeth() scenarios.LinkOptions {
	m.fars++
	return &scenarios.VethOptions{Peer: scenarios.Common{Name: "far" + itoa(m.fars), Netns: far}}
}
