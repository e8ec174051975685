// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Nlmon makes an nlmon, which frees what is sent to it
// (drivers/net/nlmon.c).
func (b linkBuild) Nlmon(_ *scenarios.NlmonOptions) error {
	lk := b.lk
	return lk.add(&netlink.GenericLink{LinkAttrs: lk.attrs(nil), LinkType: "nlmon"})
}
