// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// codelAttrLimit is TCA_CODEL_LIMIT (include/uapi/linux/pkt_sched.h).
const codelAttrLimit = 2

// Codel adds a codel (net/sched/sch_codel.c).
func (b qdiscBuild) Codel(o *scenarios.CodelOptions) error {
	lk, parent := b.lk, b.parent
	var options *nl.RtAttr
	if o.Limit > 0 {
		options = nl.NewRtAttr(nl.TCA_OPTIONS, nil)
		options.AddRtAttr(codelAttrLimit, nl.Uint32Attr(uint32(o.Limit)))
	}
	return lk.addRaw(parent, "codel", options, unix.NLM_F_EXCL)
}
