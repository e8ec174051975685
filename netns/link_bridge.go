// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Bridge makes a bridge without STP, so that its ports forward at once
// (net/bridge/br_stp_if.c).
func (b linkBuild) Bridge(_ *scenarios.BridgeOptions) error {
	lk := b.lk
	return lk.add(&netlink.Bridge{LinkAttrs: lk.attrs(nil)})
}
