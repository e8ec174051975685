// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// Numbers of cake's options (include/uapi/linux/pkt_sched.h).
const (
	cakeAttrRate   = 2
	cakeAttrMemory = 10
)

// Cake adds a cake (net/sched/sch_cake.c).
func (b qdiscBuild) Cake(o *scenarios.CakeOptions) error {
	lk, parent := b.lk, b.parent
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	if o.Rate > 0 {
		options.AddRtAttr(cakeAttrRate, nl.Uint64Attr(bytesPerSecond(o.Rate)))
	}
	if o.Limit > 0 {
		options.AddRtAttr(cakeAttrMemory, nl.Uint32Attr(uint32(o.Limit)))
	}
	return lk.addRaw(parent, "cake", options, unix.NLM_F_EXCL)
}
