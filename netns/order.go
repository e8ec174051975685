// SPDX-License-Identifier: GPL-2.0-only

package netns

import "slices"

func (lk *link) portOf(master *link) bool {
	return lk.Master == master.Name && lk.Netns == master.Netns
}

// below are the links lk is built upon: its parents and its ports.
func (w *World) below(lk *link) []*link {
	var out []*link
	for _, name := range lk.lower {
		if parent := w.find(lk.Netns, name); parent != nil {
			out = append(out, parent)
		}
	}
	for _, port := range w.links {
		if port.portOf(lk) {
			out = append(out, port)
		}
	}
	return out
}

// above are the links built upon lk: its children and its master.
func (w *World) above(lk *link) []*link {
	var out []*link
	for _, other := range w.links {
		if lk.portOf(other) || (other.Netns == lk.Netns && slices.Contains(other.lower, lk.Name)) {
			out = append(out, other)
		}
	}
	return out
}

// nearness lists all links, those nearest the sender first: what a packet
// passes on its way down, then what is tied to that, then the rest.
func (w *World) nearness() []*link {
	out := w.viaLinks()
	for i := 0; i < len(out); i++ {
		next := append(w.below(out[i]), w.above(out[i])...)
		if peer := out[i].peer; peer != nil {
			next = append(next, peer)
		}
		out = appendNew(out, next...)
	}
	return appendNew(out, w.links...)
}

// upper lists the links sent through and all above them, each after what is
// above it.
func (w *World) upper() []*link {
	var out []*link
	var climb func([]*link)
	climb = func(links []*link) {
		for _, lk := range links {
			if slices.Contains(out, lk) {
				continue
			}
			climb(w.above(lk))
			out = appendNew(out, lk)
		}
	}
	climb(w.viaLinks())
	return out
}

func (w *World) viaLinks() []*link {
	var out []*link
	for _, name := range w.via {
		if lk := w.find("", name); lk != nil {
			out = appendNew(out, lk)
		}
	}
	return out
}

func appendNew(to []*link, more ...*link) []*link {
	for _, lk := range more {
		if !slices.Contains(to, lk) {
			to = append(to, lk)
		}
	}
	return to
}

// onePerPair leaves out the far end of a veth whose near end is listed: they
// go together.
func onePerPair(links []*link) []*link {
	var out []*link
	for _, lk := range links {
		if lk.peer == nil || !slices.Contains(out, lk.peer) {
			out = append(out, lk)
		}
	}
	return out
}
