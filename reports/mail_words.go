// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"strings"

	"skleak/record"
)

// mailSubject is short, and says what and where.
func mailSubject(s seenOn, t *record.Trace, regressed bool) string {
	kind := "BUG"
	if regressed {
		kind = "REGRESSION"
	}
	where := subjectArea(s.result, t)
	what := map[record.Verdict]string{
		record.Underflow:  "sk_wmem_alloc is taken below zero",
		record.Leaked:     "packets are lost and stay charged to the socket",
		record.Orphaned:   "packets are lost after they were uncharged",
		record.LostWakeup: "a waiter in poll is not woken though the socket is writable",
		record.Stalled:    "packets are kept, and the sending socket stays unwritable",
		record.Held:       "packets stay charged to the sending socket",
		record.Refused:    "sends are refused",
		record.Clean:      "nothing is held",
	}[s.result.Verdict]
	return fmt.Sprintf("[%s] %s: %s (%s)", kind, where, what, s.run.Kernel.Release)
}

// subjectArea is what a subject begins with: who is named, or the kind of link.
func subjectArea(r record.Result, t *record.Trace) string {
	words := strings.Fields(r.Holder)
	switch {
	case len(words) > 1 && words[0] == "qdisc":
		return "net/sched: sch_" + words[1]
	case len(words) > 0 && words[0] == "neighbour":
		return "net: neighbour"
	case len(words) > 0 && words[0] == "nfqueue":
		return "netfilter: nfnetlink_queue"
	case len(words) == 3 && words[0] == "driver" && kindOf(t, words[2]) != "":
		return kindOf(t, words[2])
	}
	return "net: " + family(r.Scenario)
}

// kindOf is the kind of a link of the sandbox's own namespace; "" where it is not
// known.
func kindOf(t *record.Trace, name string) string {
	for _, when := range []string{"held", "end", "before"} {
		st := state(t, when)
		if st == nil {
			continue
		}
		for _, l := range st.Links {
			if l.Name == name && l.Netns == "" {
				return l.Kind
			}
		}
	}
	return ""
}

// sourceOf is the file of the kernel to ask get_maintainer.pl about; "" where
// nobody is named.
func sourceOf(r record.Result, t *record.Trace) string {
	area := subjectArea(r, t)
	if kind, ok := strings.CutPrefix(area, "net/sched: sch_"); ok {
		return fmt.Sprintf("net/sched/sch_%s.c", kind)
	}
	return map[string]string{
		"net: neighbour":             "net/core/neighbour.c",
		"netfilter: nfnetlink_queue": "net/netfilter/nfnetlink_queue.c",
		"veth":                       "drivers/net/veth.c",
		"tuntap":                     "drivers/net/tun.c",
		"dummy":                      "drivers/net/dummy.c",
		"ifb":                        "drivers/net/ifb.c",
		"nlmon":                      "drivers/net/nlmon.c",
		"bridge":                     "net/bridge/br_device.c",
		"vlan":                       "net/8021q/vlan_dev.c",
		"macvlan":                    "drivers/net/macvlan.c",
		"macvtap":                    "drivers/net/macvtap.c",
		"ipvlan":                     "drivers/net/ipvlan/ipvlan_main.c",
		"bond":                       "drivers/net/bonding/bond_main.c",
		"team":                       "drivers/net/team/team_core.c",
		"vxlan":                      "drivers/net/vxlan/vxlan_core.c",
		"geneve":                     "drivers/net/geneve.c",
		"gre":                        "net/ipv4/ip_gre.c",
		"gretap":                     "net/ipv4/ip_gre.c",
		"ipip":                       "net/ipv4/ipip.c",
		"wireguard":                  "drivers/net/wireguard/device.c",
		"vrf":                        "drivers/net/vrf.c",
		"macsec":                     "drivers/net/macsec.c",
		"xfrm":                       "net/xfrm/xfrm_interface_core.c",
	}[area]
}

// mailOpening is one sentence that gets people to read on, and one on the impact.
func mailOpening(s seenOn, t *record.Trace) string {
	r := s.result
	packets := "packets"
	if t != nil && t.Packet != "" {
		packets = t.Packet + " packets"
	}
	text := fmt.Sprintf("on %s the scenario %s sends %s through a link and comes to %q, ",
		s.run.Kernel.Release, r.Scenario, packets, r.Verdict)
	if r.Status == record.Pass {
		text += "which is what a sound kernel shows too."
	} else {
		text += fmt.Sprintf("where a sound kernel shows %s.", cmpOr(r.Expected, "something else"))
	}
	switch {
	case r.Verdict == record.Underflow:
		text += " The socket can never be written to again."
	case !r.Writable && r.HeldBytes > 0:
		text += fmt.Sprintf(" %d bytes stay charged to the socket (sk_wmem_alloc), poll never says POLLOUT, and a daemon that polls before it sends, as ospfd does, falls silent.", r.HeldBytes)
	case r.HeldBytes > 0:
		text += fmt.Sprintf(" %d bytes stay charged to the socket (sk_wmem_alloc).", r.HeldBytes)
	}
	switch {
	case r.Holder == "" || r.Holder == record.NotKnown:
	case strings.HasPrefix(r.Holder, "between ") || strings.HasPrefix(r.Holder, "after "):
		text += " They were lost " + r.Holder + "."
	default:
		text += " They are with " + r.Holder + "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
