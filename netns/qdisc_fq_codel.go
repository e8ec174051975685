// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// addFqCodel adds an fq_codel (net/sched/sch_fq_codel.c).
func (lk *link) addFqCodel(o *scenarios.FqCodelOptions, parent uint32) error {
	q := netlink.NewFqCodel(lk.below(parent))
	q.Limit = uint32(o.Limit)
	return lk.space.nl.QdiscAdd(q)
}
