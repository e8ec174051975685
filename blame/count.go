// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// least is how few packets say nothing: that a charge is a few times something
	// may be chance.
	least = 8
	// step is what a truesize is a multiple of: skb_shared_info and sk_buff are
	// rounded up to cache lines (SKB_TRUESIZE, include/linux/skbuff.h), and slabs are.
	step = 32
	// overhead is sizeof(struct sk_buff) and of skb_shared_info, rounded up, on 64
	// bits: no packet costs less than that and its own length.
	overhead = 256 + 320
	// headroom is what a driver may ask for beside the packet.
	headroom = 128
	// unmeasured bounds the truesize of packets whose length is not told: the
	// multicast of a routing daemon.
	unmeasured = 2048
)

// explains says whether so many bytes are the charge of the packets of these
// places, and of nothing else, and what one costs. Packets cost all the same where
// they are of one size; the queues tell their length together.
func explains(places []Holder, bytes int64) (truesize int64, ok bool) {
	packets, wire, told := 0, int64(0), true
	for _, p := range places {
		packets += p.Packets
		wire += p.wire
		told = told && p.wire > 0
	}
	if packets < least || bytes <= 0 || bytes%int64(packets) != 0 {
		return 0, false
	}
	truesize = bytes / int64(packets)
	low, high := int64(overhead), int64(unmeasured)
	if told {
		length := wire / int64(packets)
		low = length + overhead - headroom
		// The buffer is rounded up to a slab, at the most to twice of what is needed.
		high = 2*(length+headroom+320) + 256
	}
	return truesize, truesize%step == 0 && truesize >= low && truesize <= high
}

// account finds the places that explain the bytes: one of them alone, if only one
// can, or all together. Anything else is ambiguous, and no answer.
func account(places []Holder, bytes int64) (holders []Holder, truesize int64) {
	places = slices.DeleteFunc(slices.Clone(places), func(h Holder) bool { return h.Packets < 1 })
	var single [][]Holder
	for i := range places {
		if t, ok := explains(places[i:i+1], bytes); ok {
			single, truesize = append(single, places[i:i+1]), t
		}
	}
	all, together := explains(places, bytes)
	together = together && len(places) > 1
	switch {
	case len(single) == 1 && !together:
		holders = slices.Clone(single[0])
	case len(single) == 0 && together:
		holders, truesize = places, all
	default:
		return nil, 0
	}
	for i := range holders {
		holders[i].Bytes = int64(holders[i].Packets) * truesize
	}
	return holders, truesize
}

// sum writes the arithmetic: "278 packets x 768 = 213504 bytes".
func sum(holders []Holder, truesize, bytes int64) string {
	var parts []string
	for _, h := range holders {
		parts = append(parts, fmt.Sprint(h.Packets))
	}
	packets := strings.Join(parts, " + ")
	if len(parts) > 1 {
		packets = "(" + packets + ")"
	}
	return fmt.Sprintf("%s packets x %d = %d bytes", packets, truesize, bytes)
}
