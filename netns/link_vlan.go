// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createVlan makes an 802.1Q VLAN on its parent (net/8021q/vlan_netlink.c).
func (w *World) createVlan(lk *link, o *scenarios.VlanOptions) error {
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Vlan{
		LinkAttrs: lk.attrs(parent), VlanId: o.ID, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q,
	})
}
