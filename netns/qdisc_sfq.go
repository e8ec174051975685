// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// addSfq adds an sfq (net/sched/sch_sfq.c).
func (lk *link) addSfq(o *scenarios.SfqOptions, parent uint32) error {
	return lk.space.nl.QdiscAdd(&netlink.Sfq{QdiscAttrs: lk.below(parent), Limit: uint32(o.Limit)})
}
