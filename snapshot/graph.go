// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"net/netip"
	"slices"

	"skleak/record"
)

// below are the links that packets through via can come by on this host: what each
// is built upon, the ports of its masters, the other end of a veth, and for a
// tunnel the link that the route to its far end takes.
func (f Facts) below(via Link) []Link {
	out := []Link{via}
	for i := 0; i < len(out); i++ {
		for _, index := range f.next(out[i]) {
			l, ok := f.link(index)
			if ok && !slices.ContainsFunc(out, func(o Link) bool { return o.Index == index }) {
				out = append(out, l)
			}
		}
	}
	return out
}

func (f Facts) next(l Link) []int {
	var out []int
	if !l.Elsewhere {
		out = append(out, l.Lower)
	}
	out = append(out, l.Master)
	if record.TraitsOf(l.Kind).Ports {
		for _, port := range f.Links {
			if port.Master == l.Index {
				out = append(out, port.Index)
			}
		}
	}
	if index, _, ok := f.underlay(l); ok {
		out = append(out, index)
	}
	return out
}

// underlay is the link by which packets of a tunnel leave, and the route there, nil
// where its far end is a neighbour.
func (f Facts) underlay(l Link) (index int, route *Route, ok bool) {
	remote, valid := remoteOf(l)
	if !valid {
		return 0, nil, false
	}
	best := -1
	for _, o := range f.Links {
		if !o.Up || o.Index == l.Index {
			continue
		}
		for _, a := range v4Addresses(o) {
			if p := netip.MustParsePrefix(a).Masked(); p.Contains(remote) && p.Bits() > best {
				best, index, route = p.Bits(), o.Index, nil
			}
		}
	}
	for i, r := range f.Routes {
		p, err := netip.ParsePrefix(r.To)
		if err != nil || !p.Addr().Is4() || !p.Contains(remote) || r.Link == l.Index {
			continue
		}
		if p.Bits() > best || p.Bits() == best && route != nil && r.Metric < route.Metric {
			best, index, route = p.Bits(), r.Link, &f.Routes[i]
		}
	}
	return index, route, best >= 0
}

func remoteOf(l Link) (netip.Addr, bool) {
	if !slices.Contains(tunnels(), l.Kind) {
		return netip.Addr{}, false
	}
	text := l.Remote
	if p, err := netip.ParseAddrPort(text); err == nil {
		text = p.Addr().String()
	}
	a, err := netip.ParseAddr(text)
	return a, err == nil && a.Is4() && !a.IsMulticast()
}

// neighbourOf reports whether an address is in a network of the link.
func neighbourOf(l Link, address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(v4Addresses(l), func(own string) bool {
		return netip.MustParsePrefix(own).Masked().Contains(a)
	})
}
