// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// Pfifo adds a pfifo (net/sched/sch_fifo.c).
func (b qdiscBuild) Pfifo(o *scenarios.PfifoOptions) error {
	lk, parent := b.lk, b.parent
	var options *nl.RtAttr
	if o.Limit > 0 {
		// struct tc_fifo_qopt is the limit alone.
		options = nl.NewRtAttr(nl.TCA_OPTIONS, binary.NativeEndian.AppendUint32(nil, uint32(o.Limit)))
	}
	return lk.addRaw(parent, "pfifo", options, unix.NLM_F_EXCL)
}
