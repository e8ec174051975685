// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Vlan makes an 802.1Q VLAN on its parent (net/8021q/vlan_netlink.c).
func (b linkBuild) Vlan(o *scenarios.VlanOptions) error {
	w, lk := b.world, b.lk
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Vlan{
		LinkAttrs: lk.attrs(parent), VlanId: o.ID, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q,
	})
}
