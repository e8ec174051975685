// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// addNetem adds a netem. With delay, jitter or rate it orphans what it queues
// (net/sched/sch_netem.c, netem_enqueue).
func (lk *link) addNetem(o *scenarios.NetemOptions, parent uint32) error {
	attrs := netlink.NetemQdiscAttrs{
		Latency: uint32(o.Delay.Microseconds()), Jitter: uint32(o.Jitter.Microseconds()),
		Loss: float32(o.Loss), Limit: uint32(o.Limit),
	}
	if o.Rate > 0 {
		attrs.Rate64 = bytesPerSecond(o.Rate)
	}
	return lk.space.nl.QdiscAdd(netlink.NewNetem(lk.below(parent), attrs))
}
