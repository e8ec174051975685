// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Netkit makes a pair; the far end may be in another namespace
// (drivers/net/netkit.c).
func (b linkBuild) Netkit(o *scenarios.NetkitOptions) error {
	far, err := b.world.space(o.Peer.Netns)
	if err != nil {
		return err
	}
	pair := &netlink.Netkit{LinkAttrs: b.lk.attrs(nil), Mode: netlink.NETKIT_MODE_L3, Policy: netlink.NETKIT_POLICY_FORWARD,
		Scrub: netlink.NETKIT_SCRUB_DEFAULT, PeerScrub: netlink.NETKIT_SCRUB_DEFAULT}
	if o.Mode == "l2" {
		pair.Mode = netlink.NETKIT_MODE_L2
	}
	if o.Policy == "blackhole" {
		pair.Policy = netlink.NETKIT_POLICY_BLACKHOLE
	}
	peer := netlink.NewLinkAttrs()
	peer.Name, peer.Namespace = o.Peer.Name, netlink.NsFd(int(far.handle))
	pair.SetPeerAttrs(&peer)
	if err := b.lk.add(pair); err != nil {
		return err
	}
	b.lk.peer = &link{Common: o.Peer, kind: b.lk.kind, space: far, peer: b.lk}
	return nil
}
