// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createVeth makes a pair; the far end may be in another namespace
// (drivers/net/veth.c).
func (w *World) createVeth(lk *link, o *scenarios.VethOptions) error {
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
