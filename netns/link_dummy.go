// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Dummy makes a dummy, which frees all it is given (drivers/net/dummy.c).
func (b linkBuild) Dummy(_ *scenarios.DummyOptions) error {
	lk := b.lk
	return lk.add(&netlink.Dummy{LinkAttrs: lk.attrs(nil)})
}
