// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Macvlan makes a macvlan on its parent (drivers/net/macvlan.c).
func (b linkBuild) Macvlan(o *scenarios.MacvlanOptions) error {
	w, lk := b.world, b.lk
	l, err := w.macvlan(lk, o)
	if err != nil {
		return err
	}
	return lk.add(&l)
}

// macvlan is what a macvlan and a macvtap have in common.
func (w *World) macvlan(lk *link, o *scenarios.MacvlanOptions) (netlink.Macvlan, error) {
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return netlink.Macvlan{}, err
	}
	mode, err := macvlanMode(o.Mode)
	if err != nil {
		return netlink.Macvlan{}, err
	}
	return netlink.Macvlan{LinkAttrs: lk.attrs(parent), Mode: mode}, nil
}

func macvlanMode(name string) (netlink.MacvlanMode, error) {
	switch name {
	case "", "bridge":
		return netlink.MACVLAN_MODE_BRIDGE, nil
	case "private":
		return netlink.MACVLAN_MODE_PRIVATE, nil
	case "vepa":
		return netlink.MACVLAN_MODE_VEPA, nil
	case "passthru":
		return netlink.MACVLAN_MODE_PASSTHRU, nil
	}
	return 0, fmt.Errorf("macvlan mode %q is none of bridge, private, vepa, passthru", name)
}
