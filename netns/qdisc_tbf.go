// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"math"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// tbfLimit in bytes is what a tbf without a limit gets: more than any socket
// may fill. The kernel's own would drop everything (net/sched/sch_tbf.c,
// tbf_change).
const tbfLimit = 64 << 20

// linklayerEthernet is TC_LINKLAYER_ETHERNET; left out, the kernel looks for a
// rate table that is not sent.
const linklayerEthernet = 1

// Tbf adds a tbf.
//
// NB: the netlink package gives the burst in ticks only, which end at 4.3 s:
// at a slow rate that is less than a packet, and the tbf drops all.
func (b qdiscBuild) Tbf(o *scenarios.TbfOptions) error {
	lk, parent := b.lk, b.parent
	rate := bytesPerSecond(o.Rate)
	opt := nl.TcTbfQopt{Limit: uint32(o.Limit), Buffer: burstTicks(o.Rate, o.Burst)}
	if o.Limit == 0 {
		opt.Limit = tbfLimit
	}
	opt.Rate.Linklayer = linklayerEthernet
	opt.Rate.Rate = uint32(min(rate, math.MaxUint32))
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	options.AddRtAttr(nl.TCA_TBF_PARMS, opt.Serialize())
	if rate > math.MaxUint32 {
		options.AddRtAttr(nl.TCA_TBF_RATE64, nl.Uint64Attr(rate))
	}
	options.AddRtAttr(nl.TCA_TBF_BURST, nl.Uint32Attr(uint32(o.Burst)))
	return lk.addRaw(parent, "tbf", options, unix.NLM_F_EXCL)
}

// bytesPerSecond is a rate as the kernel has it; never 0, which it takes for no
// rate at all.
func bytesPerSecond(bits uint64) uint64 { return max(1, bits/8) }

// burstTicks is the time that a burst in bytes takes at a rate in bits per
// second, in the kernel's ticks (net/sched/sch_api.c, psched_show); at most
// what their 32 bits hold, which is 275 s.
func burstTicks(bits uint64, burst int) uint32 {
	const usec = 1e6
	ticks := float64(burst) * usec / float64(bytesPerSecond(bits)) * netlink.TickInUsec()
	return uint32(min(ticks, math.MaxUint32))
}
