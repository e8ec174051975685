// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// Names gives places the names that the ladder uses, from what the sandbox
// looked like.
type Names struct{ State record.State }

// Place names p, and says whether what is there is charged to its socket, as far
// as the place tells.
func (n Names) Place(p Place) (name string, charged bool) {
	label := n.label(p)
	switch p.Kind {
	case InNeighbour:
		return fmt.Sprintf("neighbour %s on %s", p.Addr, label), true
	case InQueue:
		kind := n.qdisc(p)
		if kind == "noqueue" {
			return label, true
		}
		return fmt.Sprintf("qdisc %s on %s", kind, label), kind != "netem"
	case InDriver:
		return n.driver(p, label)
	case InStack:
		return "the stack, before any device", true
	case InNFQueue:
		return fmt.Sprintf("nfqueue %d", p.Queue), true
	case Received:
		if above := n.master(p); above != "" {
			return "driver of " + above, true
		}
		return "received by " + label, true
	case InPolicy:
		return "the queue of an xfrm policy", true
	default:
		return "", false
	}
}

// driver names who has what was handed to the link's driver.
func (n Names) driver(p Place, label string) (string, bool) {
	for _, l := range n.links(p) {
		switch traits := record.TraitsOf(l.Kind); {
		case traits.Read:
			return "reader of " + label, !traits.Orphans
		case traits.Orphans:
			return "driver of " + label, false
		}
	}
	return "driver of " + label, true
}

// master is the bridge, bond or team of which the device is a port: its handler
// takes all that the port receives (rx_handler, __netif_receive_skb_core,
// net/core/dev.c). "" for none, or where several may be meant.
func (n Names) master(p Place) string {
	var names []string
	for _, port := range n.links(p) {
		for _, l := range n.State.Links {
			if record.TraitsOf(l.Kind).Ports && l.Netns == port.Netns && slices.Contains(l.Lower, port.Name) {
				names = append(names, n.label(Place{Dev: l.Name, Ifindex: int32(l.Index)}))
			}
		}
	}
	if len(names) != 1 || len(n.links(p)) != 1 {
		return ""
	}
	return names[0]
}

// links are those that may be meant: a name may be in several namespaces.
func (n Names) links(p Place) []record.LinkState {
	var out []record.LinkState
	for _, l := range n.State.Links {
		if l.Name == p.Dev && (p.Ifindex == 0 || int(p.Ifindex) == l.Index) {
			out = append(out, l)
		}
	}
	return out
}

// label names a device as the ladder does: one whose name the sandbox's own
// namespace has too is told apart by its namespace.
func (n Names) label(p Place) string {
	own := slices.ContainsFunc(n.State.Links, func(l record.LinkState) bool {
		return l.Netns == "" && l.Name == p.Dev
	})
	var labels []string
	for _, l := range n.links(p) {
		if l.Netns != "" && own {
			labels = append(labels, l.Name+" in "+l.Netns)
		} else {
			labels = append(labels, l.Name)
		}
	}
	if len(labels) == 0 {
		return p.Dev
	}
	return strings.Join(labels, " or ")
}

// qdisc is the kind of qdisc that queues on the device.
func (n Names) qdisc(p Place) string {
	kind := "unknown"
	for _, l := range n.links(p) {
		var own []record.QdiscState
		for _, q := range n.State.Qdiscs {
			if q.Link == l.Name && q.Netns == l.Netns {
				own = append(own, q)
			}
		}
		if q, ok := record.QueueingQdisc(own); ok {
			kind = q.Kind
		}
	}
	return kind
}

// Devices are the names of all links but the loopbacks, whose names are
// everybody's.
func Devices(state record.State) []string {
	seen := map[string]bool{"lo": true}
	var names []string
	for _, l := range state.Links {
		if !seen[l.Name] {
			seen[l.Name] = true
			names = append(names, l.Name)
		}
	}
	return names
}

// Places names all counts, the fullest first. Where charges were not read, each
// skb has the truesize that was calibrated, in bytes, if its place charges.
func (n Names) Places(counts []Count, truesize int64) []record.LedgerPlace {
	var out []record.LedgerPlace
	add := func(name string, count int, charged bool, bytes int64) {
		if count == 0 {
			return
		}
		for i := range out {
			if out[i].Place == name && out[i].Charged == charged {
				out[i].Count += count
				out[i].Bytes += bytes
				return
			}
		}
		out = append(out, record.LedgerPlace{Place: name, Count: count, Charged: charged, Bytes: bytes})
	}
	for _, c := range counts {
		name, charges := n.Place(c.Place)
		bytes := c.Bytes
		if !c.Read && charges {
			bytes = int64(c.Charged) * truesize
		}
		add(name, c.Charged, c.Read || charges, bytes)
		add(name, c.Loose+c.Clones, false, 0)
	}
	slices.SortFunc(out, func(a, b record.LedgerPlace) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Place, b.Place)
	})
	return out
}
