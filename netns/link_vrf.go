// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Vrf makes a vrf (drivers/net/vrf.c).
func (b linkBuild) Vrf(o *scenarios.VrfOptions) error {
	lk := b.lk
	return lk.add(&netlink.Vrf{LinkAttrs: lk.attrs(nil), Table: uint32(o.Table)})
}
