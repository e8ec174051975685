// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Ipvlan makes an ipvlan on its parent (drivers/net/ipvlan/ipvlan_main.c).
func (b linkBuild) Ipvlan(o *scenarios.IpvlanOptions) error {
	w, lk := b.world, b.lk
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	mode, err := ipvlanMode(o.Mode)
	if err != nil {
		return err
	}
	return lk.add(&netlink.IPVlan{LinkAttrs: lk.attrs(parent), Mode: mode})
}

func ipvlanMode(name string) (netlink.IPVlanMode, error) {
	switch name {
	case "", "l2":
		return netlink.IPVLAN_MODE_L2, nil
	case "l3":
		return netlink.IPVLAN_MODE_L3, nil
	case "l3s":
		return netlink.IPVLAN_MODE_L3S, nil
	}
	return 0, fmt.Errorf("ipvlan mode %q is none of l2, l3, l3s", name)
}
