// SPDX-License-Identifier: GPL-2.0-only

package netns

import "github.com/vishvananda/netlink"

// createNlmon makes an nlmon, which frees what is sent to it
// (drivers/net/nlmon.c).
func createNlmon(lk *link) error {
	return lk.add(&netlink.GenericLink{LinkAttrs: lk.attrs(nil), LinkType: "nlmon"})
}
