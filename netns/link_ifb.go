// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Ifb makes a ifb, which takes packets in and lets go of them in a tasklet (drivers/net/ifb.c).
func (b linkBuild) Ifb(_ *scenarios.IfbOptions) error {
	lk := b.lk
	return lk.add(&netlink.Ifb{LinkAttrs: lk.attrs(nil)})
}
