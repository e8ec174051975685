// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// vxlanPort is the port IANA gave; the kernel's own default is 8472.
const vxlanPort = 4789

// Vxlan makes a vxlan over its parent (drivers/net/vxlan/vxlan_core.c).
func (b linkBuild) Vxlan(o *scenarios.VxlanOptions) error {
	w, lk := b.world, b.lk
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	l := &netlink.Vxlan{
		LinkAttrs: lk.attrs(nil), VxlanId: o.ID, Learning: true,
		Group: net.ParseIP(o.Remote), SrcAddr: net.ParseIP(o.Local), Port: o.Port,
	}
	if l.Port == 0 {
		l.Port = vxlanPort
	}
	if parent != nil {
		l.VtepDevIndex = parent.index
	}
	return lk.add(l)
}
