// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// Ipip makes an ipip tunnel (net/ipv4/ipip.c).
func (b linkBuild) Ipip(o *scenarios.IpipOptions) error {
	w, lk := b.world, b.lk
	index, err := w.underlay(lk, &o.GreOptions)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Iptun{
		LinkAttrs: lk.attrs(nil), Link: index, PMtuDisc: 1, Proto: unix.IPPROTO_IPIP,
		Local: net.ParseIP(o.Local), Remote: net.ParseIP(o.Remote),
	})
}
