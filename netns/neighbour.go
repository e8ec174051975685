// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/vishvananda/netlink"
)

// addNeighbours adds the permanent entries.
func (w *World) addNeighbours() error {
	for _, lk := range w.links {
		for _, n := range lk.Neighbours {
			mac, err := net.ParseMAC(n.LLAddr)
			if err != nil {
				return fmt.Errorf("neighbour %s on %s: %w", n.Address, lk.Name, err)
			}
			err = lk.space.nl.NeighSet(&netlink.Neigh{
				LinkIndex: lk.index, IP: net.ParseIP(n.Address), HardwareAddr: mac, State: netlink.NUD_PERMANENT,
			})
			if err != nil {
				return fmt.Errorf("neighbour %s on %s: %w", n.Address, lk.Name, err)
			}
		}
	}
	return nil
}

// neighbours lists the IPv4 and IPv6 entries of the namespace.
func (s *space) neighbours() ([]netlink.Neigh, error) {
	var out []netlink.Neigh
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		ns, err := s.nl.NeighList(0, family)
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil, fmt.Errorf("list neighbours in %s: %w", s.title(), err)
		}
		out = append(out, ns...)
	}
	return out, nil
}

// flushable are the entries that may hold packets, those without an answer
// first. Permanent and NOARP ones are complete from the start.
func (s *space) flushable() ([]netlink.Neigh, error) {
	all, err := s.neighbours()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(n netlink.Neigh) bool {
		return n.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 || n.State == netlink.NUD_NONE
	})
	const waiting = netlink.NUD_INCOMPLETE | netlink.NUD_FAILED
	slices.SortStableFunc(all, func(a, b netlink.Neigh) int {
		return min(b.State&waiting, 1) - min(a.State&waiting, 1)
	})
	return all, nil
}

// nudName names a neighbour's state as ip-neighbour(8) does.
func nudName(state int) string {
	for _, s := range []struct {
		bit  int
		name string
	}{
		{netlink.NUD_INCOMPLETE, "INCOMPLETE"}, {netlink.NUD_REACHABLE, "REACHABLE"}, {netlink.NUD_STALE, "STALE"},
		{netlink.NUD_DELAY, "DELAY"}, {netlink.NUD_PROBE, "PROBE"}, {netlink.NUD_FAILED, "FAILED"},
		{netlink.NUD_NOARP, "NOARP"}, {netlink.NUD_PERMANENT, "PERMANENT"},
	} {
		if state&s.bit != 0 {
			return s.name
		}
	}
	return "NONE"
}
