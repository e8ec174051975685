// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Gretap makes a gretap (net/ipv4/ip_gre.c).
func (b linkBuild) Gretap(o *scenarios.GretapOptions) error {
	w, lk := b.world, b.lk
	index, err := w.underlay(lk, &o.GreOptions)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Gretap{
		LinkAttrs: lk.attrs(nil), Link: index, PMtuDisc: 1,
		Local: net.ParseIP(o.Local), Remote: net.ParseIP(o.Remote),
	})
}
