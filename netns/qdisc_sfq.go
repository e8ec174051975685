// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Sfq adds an sfq (net/sched/sch_sfq.c).
func (b qdiscBuild) Sfq(o *scenarios.SfqOptions) error {
	lk, parent := b.lk, b.parent
	return lk.space.nl.QdiscAdd(&netlink.Sfq{QdiscAttrs: lk.below(parent), Limit: uint32(o.Limit)})
}
