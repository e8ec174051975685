// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Prio adds a prio with the kernel's own three bands (net/sched/sch_prio.c).
func (b qdiscBuild) Prio(_ *scenarios.PrioOptions) error {
	lk, parent := b.lk, b.parent
	return lk.space.nl.QdiscAdd(netlink.NewPrio(lk.below(parent)))
}
