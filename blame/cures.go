// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"slices"
	"strings"
)

// cures says what to do about each holder, the daemon first: that keeps the other
// links alive whatever this one does.
func cures(f Finding, r Reading) []Cure {
	var out []Cure
	add := func(c Cure) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for _, h := range f.Holders {
		if h.Link != "" {
			add(passive(r.Comm, h.Link))
		}
		if c, ok := release(h); ok {
			add(c)
		}
	}
	if len(out) > 0 && f.Silent && shared(r) {
		add(Cure{About: "one socket serves all links, so one that keeps packets silences them all; " +
			"a daemon with a socket for each (BIRD, FRR 10) loses that link alone"})
	}
	return out
}

// shared: a silent socket through which more than one link is served, as far as can
// be seen.
func shared(r Reading) bool {
	return len(r.Sockets) == 1 && len(slices.DeleteFunc(lines(r, Finding{}), func(l Line) bool { return l.Sent == 0 })) > 1
}

// passive takes the link out of the daemon's hands.
func passive(comm, link string) Cure {
	about := fmt.Sprintf("have %s send nothing through %s", comm, link)
	switch {
	case slices.Contains([]string{"ospfd", "ripd", "eigrpd"}, comm):
		// FRR and Quagga: the router command of ospfd, ripd and eigrpd.
		router := map[string]string{"ospfd": "ospf", "ripd": "rip", "eigrpd": "eigrp AS"}[comm]
		return Cure{about, fmt.Sprintf("vtysh -c 'configure terminal' -c 'router %s' -c 'passive-interface %s'", router, link)}
	case comm == "bird":
		return Cure{about, fmt.Sprintf("in bird.conf, protocol ospf, area: interface \"%s\" { stub yes; };  then: birdc configure", link)}
	case comm == "pimd":
		return Cure{about, fmt.Sprintf("vtysh -c 'configure terminal' -c 'interface %s' -c 'no ip pim'", link)}
	}
	return Cure{about + ", in its configuration", ""}
}

// release frees what a holder has; ok is false where nothing is known to.
func release(h Holder) (c Cure, ok bool) {
	switch h.Kind {
	case "reader":
		return Cure{
			fmt.Sprintf("a program has %s open and does not read: find it, and have it read, or end it", h.Link),
			fmt.Sprintf("grep -ls '^iff:[[:space:]]*%s$' /proc/[0-9]*/fdinfo/*", h.Link),
		}, true
	case "qdisc":
		return Cure{"replace the queue, which frees all that waits in it", fmt.Sprintf("tc qdisc replace dev %s root pfifo", h.Link)}, true
	case "neighbour":
		address, _, _ := strings.Cut(strings.TrimPrefix(h.Name, "neighbour "), " ")
		return Cure{"the neighbour does not answer; this drops what waits for it", fmt.Sprintf("ip neigh flush to %s dev %s", address, h.Link)}, true
	case "nfqueue":
		return Cure{
			"the program that listens there gives no verdicts: have it, or end it, or let packets pass without it (queue flags bypass)",
			"grep . /proc/net/netfilter/nfnetlink_queue; nft list ruleset | grep queue",
		}, true
	case "driver":
		return Cure{"the driver keeps them: setting the link down frees what it has in most; report it (skleak snapshot, then run, gives the evidence)",
			fmt.Sprintf("ip link set %s down", h.Link)}, true
	}
	return Cure{}, false
}
