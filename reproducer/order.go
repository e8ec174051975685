// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import "slices"

func (w *writer) find(ns, name string) *link {
	for _, lk := range w.links {
		if lk.Netns == ns && lk.Name == name {
			return lk
		}
	}
	return nil
}

func (lk *link) portOf(master *link) bool {
	return lk.Master == master.Name && lk.Netns == master.Netns
}

// below are the links lk is built upon: its parents and its ports.
func (w *writer) below(lk *link) []*link {
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
func (w *writer) above(lk *link) []*link {
	var out []*link
	for _, other := range w.links {
		if lk.portOf(other) || (other.Netns == lk.Netns && slices.Contains(other.lower, lk.Name)) {
			out = append(out, other)
		}
	}
	return out
}

// nearness lists all links, those nearest the sender first.
func (w *writer) nearness() []*link {
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
func (w *writer) upper() []*link {
	var out []*link
	var climb func([]*link)
	climb = func(links []*link) {
		for _, lk := range links {
			if !slices.Contains(out, lk) {
				climb(w.above(lk))
				out = appendNew(out, lk)
			}
		}
	}
	climb(w.viaLinks())
	return out
}

func (w *writer) viaLinks() []*link {
	var out []*link
	for _, name := range w.sc.Traffic.Via {
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

// onePerPair leaves out the far end of a veth whose near end is listed.
func onePerPair(links []*link) []*link {
	var out []*link
	for _, lk := range links {
		if lk.peer == nil || !slices.Contains(out, lk.peer) {
			out = append(out, lk)
		}
	}
	return out
}
