// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Veth makes a pair; the far end may be in another namespace
// (drivers/net/veth.c).
func (b linkBuild) Veth(o *scenarios.VethOptions) error {
	w, lk := b.world, b.lk
	far, err := w.space(o.Peer.Netns)
	if err != nil {
		return err
	}
	err = lk.add(&netlink.Veth{
		LinkAttrs: lk.attrs(nil), PeerName: o.Peer.Name,
		PeerNamespace: netlink.NsFd(int(far.handle)), PeerTxQLen: -1,
	})
	if err != nil {
		return err
	}
	lk.peer = &link{Common: o.Peer, kind: lk.kind, space: far, peer: lk, xdp: o.XDP}
	return nil
}
