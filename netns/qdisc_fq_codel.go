// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// FqCodel adds an fq_codel (net/sched/sch_fq_codel.c).
func (b qdiscBuild) FqCodel(o *scenarios.FqCodelOptions) error {
	lk, parent := b.lk, b.parent
	q := netlink.NewFqCodel(lk.below(parent))
	q.Limit = uint32(o.Limit)
	return lk.space.nl.QdiscAdd(q)
}
