// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Geneve makes a geneve; the route decides what it leaves by
// (drivers/net/geneve.c).
func (b linkBuild) Geneve(o *scenarios.GeneveOptions) error {
	lk := b.lk
	return lk.add(&netlink.Geneve{LinkAttrs: lk.attrs(nil), ID: uint32(o.ID), Remote: net.ParseIP(o.Remote)})
}
