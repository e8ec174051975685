// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Xfrm makes an xfrm interface without policies: what is sent to it has
// no state to go by and is dropped (net/xfrm/xfrm_interface_core.c).
func (b linkBuild) Xfrm(o *scenarios.XfrmOptions) error {
	w, lk := b.world, b.lk
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Xfrmi{LinkAttrs: lk.attrs(parent), Ifid: uint32(o.ID)})
}
