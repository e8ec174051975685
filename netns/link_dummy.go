// SPDX-License-Identifier: GPL-2.0-only

package netns

import "github.com/vishvananda/netlink"

// createDummy makes a dummy, which frees all it is given (drivers/net/dummy.c).
func createDummy(lk *link) error {
	return lk.add(&netlink.Dummy{LinkAttrs: lk.attrs(nil)})
}
