// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// Plug adds a plug, which holds everything from the start until it is told
// to let go (net/sched/sch_plug.c, plug_init and plug_dequeue).
func (b qdiscBuild) Plug(o *scenarios.PlugOptions) error {
	lk, parent := b.lk, b.parent
	var options *nl.RtAttr
	if o.Limit > 0 {
		// struct tc_plug_qopt: the action, which plug_init does not read, and the limit.
		opt := binary.NativeEndian.AppendUint32(make([]byte, 4), uint32(o.Limit))
		options = nl.NewRtAttr(nl.TCA_OPTIONS, opt)
	}
	return lk.addRaw(parent, "plug", options, unix.NLM_F_EXCL)
}
