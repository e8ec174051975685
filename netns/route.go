// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// addRoutes adds the listed routes.
//
// None is needed to send multicast: with a link chosen (IP_MULTICAST_IF,
// IP_PKTINFO) the kernel takes a group in 224.0.0.0/24 straight to it, any
// other one too when no route matches, and an address of 0.0.0.0 when the link
// has none (net/ipv4/route.c, ip_route_output_key_hash_rcu).
func (w *World) addRoutes(routes []scenarios.Route) error {
	for _, r := range routes {
		if err := w.addRoute(r); err != nil {
			return fmt.Errorf("add route to %s: %w", r.To, err)
		}
	}
	return nil
}

func (w *World) addRoute(r scenarios.Route) error {
	s, err := w.space(r.Netns)
	if err != nil {
		return err
	}
	route := &netlink.Route{Protocol: unix.RTPROT_STATIC, Gw: net.ParseIP(r.Via)}
	if r.To == "default" {
		route.Dst = &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
	} else if _, route.Dst, err = net.ParseCIDR(r.To); err != nil {
		return err
	}
	if r.Via == "" {
		route.Scope = netlink.SCOPE_LINK
	}
	if r.Link != "" {
		lk := w.find(r.Netns, r.Link)
		if lk == nil {
			return fmt.Errorf("there is no link %s in %s", r.Link, s.title())
		}
		route.LinkIndex = lk.index
	}
	return s.nl.RouteAdd(route)
}
