// SPDX-License-Identifier: GPL-2.0-only

package netns

import "github.com/vishvananda/netlink"

// addPrio adds a prio with the kernel's own three bands (net/sched/sch_prio.c).
func (lk *link) addPrio(parent uint32) error {
	return lk.space.nl.QdiscAdd(netlink.NewPrio(lk.below(parent)))
}
