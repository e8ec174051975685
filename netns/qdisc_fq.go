// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"math"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Fq adds an fq (net/sched/sch_fq.c).
func (b qdiscBuild) Fq(o *scenarios.FqOptions) error {
	lk, parent := b.lk, b.parent
	q := netlink.NewFq(lk.below(parent))
	q.PacketLimit = uint32(o.Limit)
	if o.MaxRate > 0 {
		q.FlowMaxRate = uint32(min(bytesPerSecond(o.MaxRate), math.MaxUint32))
	}
	return lk.space.nl.QdiscAdd(q)
}
