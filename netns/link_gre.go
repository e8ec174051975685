// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Gre makes a gre tunnel (net/ipv4/ip_gre.c).
func (b linkBuild) Gre(o *scenarios.GreOptions) error {
	w, lk := b.world, b.lk
	index, err := w.underlay(lk, o)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Gretun{
		LinkAttrs: lk.attrs(nil), Link: index, PMtuDisc: 1,
		Local: net.ParseIP(o.Local), Remote: net.ParseIP(o.Remote),
	})
}

// underlay is the index of the parent that a gre, gretap or ipip tunnel is bound
// to, 0 for none.
func (w *World) underlay(lk *link, o *scenarios.GreOptions) (uint32, error) {
	parent, err := w.parent(lk, o.Parent)
	if err != nil || parent == nil {
		return 0, err
	}
	return uint32(parent.index), nil
}
