// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createGeneve makes a geneve; the route decides what it leaves by
// (drivers/net/geneve.c).
func createGeneve(lk *link, o *scenarios.GeneveOptions) error {
	return lk.add(&netlink.Geneve{LinkAttrs: lk.attrs(nil), ID: uint32(o.ID), Remote: net.ParseIP(o.Remote)})
}
