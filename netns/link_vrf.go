// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createVrf makes a vrf (drivers/net/vrf.c).
func createVrf(lk *link, o *scenarios.VrfOptions) error {
	return lk.add(&netlink.Vrf{LinkAttrs: lk.attrs(nil), Table: uint32(o.Table)})
}
