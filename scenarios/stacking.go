// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "slices"

// StackedLink is a link that others may be built upon, as netns builds it or a
// script writes it.
type StackedLink[L any] interface {
	comparable
	// Place is the link's name, namespace and master.
	Place() Common
	// LowerLinks names the links it is built upon, in its own namespace.
	LowerLinks() []string
	// PeerLink is a veth's other end; the zero value for none.
	PeerLink() L
}

// Place gives the link's name, namespace and master.
func (c Common) Place() Common { return c }

// Stacking is which links of a scenario are built upon which. It gives the order
// in which the ladder undoes them.
type Stacking[L StackedLink[L]] struct {
	Links []L
	// Via names the links sent through, in the sender's namespace.
	Via []string
}

// Find gives the link of that name in a namespace; the zero value for none.
func (s Stacking[L]) Find(netns, name string) L {
	for _, lk := range s.Links {
		if p := lk.Place(); p.Netns == netns && p.Name == name {
			return lk
		}
	}
	var none L
	return none
}

// IsPort says whether lk is a port of master.
func (s Stacking[L]) IsPort(lk, master L) bool {
	p, m := lk.Place(), master.Place()
	return p.Master == m.Name && p.Netns == m.Netns
}

// Below are the links lk is built upon: its parents and its ports.
func (s Stacking[L]) Below(lk L) []L {
	var none L
	var out []L
	for _, name := range lk.LowerLinks() {
		if parent := s.Find(lk.Place().Netns, name); parent != none {
			out = append(out, parent)
		}
	}
	for _, port := range s.Links {
		if s.IsPort(port, lk) {
			out = append(out, port)
		}
	}
	return out
}

// above are the links built upon lk: its children and its master.
func (s Stacking[L]) above(lk L) []L {
	var out []L
	p := lk.Place()
	for _, other := range s.Links {
		if s.IsPort(lk, other) || (other.Place().Netns == p.Netns && slices.Contains(other.LowerLinks(), p.Name)) {
			out = append(out, other)
		}
	}
	return out
}

// Nearness lists all links, those nearest the sender first: what a packet
// passes on its way down, then what is tied to that, then the rest.
func (s Stacking[L]) Nearness() []L {
	var none L
	out := s.via()
	for i := 0; i < len(out); i++ {
		next := append(s.Below(out[i]), s.above(out[i])...)
		if peer := out[i].PeerLink(); peer != none {
			next = append(next, peer)
		}
		out = appendNew(out, next...)
	}
	return appendNew(out, s.Links...)
}

// Upper lists the links sent through and all above them, each after what is
// above it.
func (s Stacking[L]) Upper() []L {
	var out []L
	var climb func([]L)
	climb = func(links []L) {
		for _, lk := range links {
			if slices.Contains(out, lk) {
				continue
			}
			climb(s.above(lk))
			out = appendNew(out, lk)
		}
	}
	climb(s.via())
	return out
}

// Lower lists the links that are neither in Upper nor the peer of one that is,
// the nearest first; of a veth whose ends are both among them, the nearer end
// alone: they go together.
func (s Stacking[L]) Lower() []L {
	var none L
	upper := s.Upper()
	var out []L
	for _, lk := range s.Nearness() {
		peer := lk.PeerLink()
		tied := peer != none && (slices.Contains(upper, peer) || slices.Contains(out, peer))
		if !tied && !slices.Contains(upper, lk) {
			out = append(out, lk)
		}
	}
	return out
}

func (s Stacking[L]) via() []L {
	var none L
	var out []L
	for _, name := range s.Via {
		if lk := s.Find("", name); lk != none {
			out = appendNew(out, lk)
		}
	}
	return out
}

func appendNew[L comparable](to []L, more ...L) []L {
	for _, lk := range more {
		if !slices.Contains(to, lk) {
			to = append(to, lk)
		}
	}
	return to
}
