// SPDX-License-Identifier: GPL-2.0-only

package netns

import "github.com/vishvananda/netlink"

// createIfb makes a ifb, which takes packets in and lets go of them in a tasklet (drivers/net/ifb.c).
func createIfb(lk *link) error {
	return lk.add(&netlink.Ifb{LinkAttrs: lk.attrs(nil)})
}
