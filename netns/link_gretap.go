// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createGretap makes a gretap (net/ipv4/ip_gre.c).
func (w *World) createGretap(lk *link, o *scenarios.GretapOptions) error {
	index, err := w.underlay(lk, &o.GreOptions)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Gretap{
		LinkAttrs: lk.attrs(nil), Link: index, PMtuDisc: 1,
		Local: net.ParseIP(o.Local), Remote: net.ParseIP(o.Remote),
	})
}
