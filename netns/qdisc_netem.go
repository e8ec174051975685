// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Netem adds a netem. With delay, jitter or rate it orphans what it queues
// (net/sched/sch_netem.c, netem_enqueue).
func (b qdiscBuild) Netem(o *scenarios.NetemOptions) error {
	lk, parent := b.lk, b.parent
	attrs := netlink.NetemQdiscAttrs{
		Latency: uint32(o.Delay.Microseconds()), Jitter: uint32(o.Jitter.Microseconds()),
		Loss: float32(o.Loss), Limit: uint32(o.Limit),
	}
	if o.Rate > 0 {
		attrs.Rate64 = bytesPerSecond(o.Rate)
	}
	return lk.space.nl.QdiscAdd(netlink.NewNetem(lk.below(parent), attrs))
}
