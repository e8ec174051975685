// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"slices"
	"strings"
)

// Need is a feature that something in a scenario needs of the kernel, or of the
// machine.
type Need struct {
	// Feature says what, in words.
	Feature string
	// Config are the kernel options, Modules the modules that have it; none for
	// what is always built in.
	Config  []string
	Modules []string
	// Loads is what the kernel asks modprobe for in the course of it.
	Loads []string
	// Cipher is the name in /proc/crypto that shows that it is there; "" for what
	// is there with its modules.
	Cipher string
	// Programs are those of this machine that take part.
	Programs []Program
}

// Hint says what would bring it.
func (n Need) Hint() string {
	hint := strings.Join(n.Config, ", ")
	if len(n.Modules) > 0 {
		hint += ", module " + strings.Join(n.Modules, ", ")
	}
	return hint
}

// need is what a kind itself needs.
func (k Kind) need(what string) Need {
	return Need{Feature: what + k.Name, Config: k.Config, Modules: k.Modules, Loads: k.Loads, Programs: k.Programs}
}

// LinkNeed is what a kind of link needs.
func LinkNeed(kind string) Need { return LinkKind(kind).need("link kind ") }

// QdiscNeed is what a kind of qdisc needs.
func QdiscNeed(kind string) Need { return QdiscKind(kind).need("qdisc ") }

// needing are options that need more than their kind.
type needing interface{ needs() []Need }

// owning are options that say themselves what is needed in place of the kind.
type owning interface{ own() Need }

// Needs lists what the scenario needs of the kernel and the machine, each once:
// for --no-modules, for the modules and programs of a guest, and for the kernel
// options that a report tells.
func Needs(s Scenario) []Need {
	var out []Need
	add := func(more ...Need) {
		for _, n := range more {
			if !slices.ContainsFunc(out, func(m Need) bool { return m.Feature == n.Feature }) {
				out = append(out, n)
			}
		}
	}
	for _, l := range s.Links {
		add(linkNeeds(l)...)
		for _, q := range qdiscsOf(l) {
			for _, kind := range q.Kinds() {
				add(QdiscNeed(kind))
			}
		}
	}
	for _, f := range s.Filters {
		add(FilterNeeds(f.Action)...)
	}
	add(socketNeeds(s.Traffic.Socket)...)
	return out
}

func linkNeeds(l Link) []Need {
	own := LinkNeed(l.Kind())
	if o, ok := l.Options.(owning); ok {
		own = o.own()
	}
	if o, ok := l.Options.(needing); ok {
		return append([]Need{own}, o.needs()...)
	}
	return []Need{own}
}

// qdiscsOf are those of both ends of a link.
func qdiscsOf(l Link) []*Qdisc {
	all := []*Qdisc{l.Qdisc}
	if peer := PeerOf(l); peer != nil {
		all = append(all, peer.Qdisc)
	}
	return slices.DeleteFunc(all, func(q *Qdisc) bool { return q == nil })
}

// FilterNeeds is what a rule with such an action needs, by nf_tables or, where
// that has no queue expression, the xt way.
func FilterNeeds(action string) []Need {
	rules := []Need{{
		Feature: "netfilter rules", Modules: []string{"nf_tables"},
		Config: []string{"CONFIG_NF_TABLES", "CONFIG_NETFILTER", "CONFIG_NF_TABLES_IPV4", "CONFIG_NF_TABLES_INET"},
	}}
	if action != "nfqueue" {
		return rules
	}
	return append(rules,
		Need{
			Feature: "NFQUEUE", Config: []string{"CONFIG_NETFILTER_NETLINK_QUEUE"}, Modules: []string{"nfnetlink_queue"},
			Loads: []string{"nfnetlink", "x_tables", "xt_NFQUEUE", "nft_compat"},
		},
		Need{Feature: "a rule that queues", Config: []string{"CONFIG_NFT_QUEUE"}, Modules: []string{"nft_queue"}})
}

func socketNeeds(socket string) []Need {
	if socket != SocketPacket && socket != SocketPacketDgram {
		return nil
	}
	return []Need{{Feature: "packet sockets", Config: []string{"CONFIG_PACKET"}, Modules: []string{"af_packet"}}}
}
