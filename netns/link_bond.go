// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Bond makes a bond. Without miimon it takes every port for running at
// once, so nothing has to be waited for (drivers/net/bonding/bond_main.c,
// bond_enslave).
func (b linkBuild) Bond(o *scenarios.BondOptions) error {
	lk := b.lk
	name := o.Mode
	if name == "" {
		name = "active-backup"
	}
	mode := netlink.StringToBondMode(name)
	if mode == netlink.BOND_MODE_UNKNOWN {
		return fmt.Errorf("create bond %s: there is no mode %q", lk.Name, name)
	}
	l := netlink.NewLinkBond(lk.attrs(nil))
	l.Mode = mode
	return lk.add(l)
}
