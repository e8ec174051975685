// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/vishvananda/netlink/nl"

	"skleak/scenarios"
)

// tick is the kernel's unit of time in qdiscs, PSCHED_SHIFT of include/net/pkt_sched.h.
const tick = 64 * time.Nanosecond

// Attributes that the netlink library has no name for (include/uapi/linux/pkt_sched.h).
const (
	netemLatency64 = 10
	netemJitter64  = 11
	netemSlot      = 12
	codelLimit     = 2
	cakeRate64     = 2
	cakeMemory     = 10
)

// qdiscOptions reads the options of a qdisc; nil is a kind no scenario has.
// Unsaid are settings that no scenario has.
func qdiscOptions(q Qdisc) (options scenarios.QdiscOptions, unsaid []string) {
	attrs := attributes(q.Options)
	switch q.Kind {
	case "plug":
		return &scenarios.PlugOptions{}, nil
	case "tbf":
		return tbfOptions(attrs)
	case "netem":
		return netemOptions(q.Options)
	case "fq":
		o := &scenarios.FqOptions{Limit: positive(number(attrs[nl.TCA_FQ_PLIMIT]))}
		if rate := number(attrs[nl.TCA_FQ_FLOW_MAX_RATE]); rate != math.MaxUint32 {
			o.MaxRate = bits(rate)
		}
		return o, nil
	case "fq_codel":
		return &scenarios.FqCodelOptions{Limit: positive(number(attrs[nl.TCA_FQ_CODEL_LIMIT]))}, nil
	case "pfifo":
		return &scenarios.PfifoOptions{Limit: positive(word(q.Options, 0))}, nil
	case "prio":
		return &scenarios.PrioOptions{}, nil
	case "sfq":
		return &scenarios.SfqOptions{Limit: positive(word(q.Options, 8))}, nil
	case "codel":
		return &scenarios.CodelOptions{Limit: positive(number(attrs[codelLimit]))}, nil
	case "cake":
		return &scenarios.CakeOptions{Rate: bits(number(attrs[cakeRate64])), Limit: positive(number(attrs[cakeMemory]))}, nil
	}
	return nil, nil
}

// tbfOptions reads struct tc_tbf_qopt: two tc_ratespec of 12 bytes with the rate at
// their end, limit and buffer.
func tbfOptions(attrs map[uint16][]byte) (scenarios.QdiscOptions, []string) {
	b := attrs[nl.TCA_TBF_PARMS]
	rate := word(b, 8)
	if v := attrs[nl.TCA_TBF_RATE64]; len(v) == 8 {
		rate = number(v)
	}
	var unsaid []string
	if word(b, 20) > 0 {
		unsaid = append(unsaid, "peakrate")
	}
	return &scenarios.TbfOptions{
		Rate: max(bits(rate), 8), Burst: max(burst(rate, word(b, 28)), 1), Limit: max(positive(word(b, 24)), 1),
	}, unsaid
}

// netemOptions reads struct tc_netem_qopt: latency, limit, loss, gap, duplicate and
// jitter, and the attributes behind it.
func netemOptions(b []byte) (scenarios.QdiscOptions, []string) {
	const size, percent = 24, 100
	attrs := attributes(b[min(size, len(b)):])
	o := &scenarios.NetemOptions{
		Delay: span(word(b, 0), attrs[netemLatency64]), Jitter: span(word(b, 20), attrs[netemJitter64]),
		Loss:  math.Round(float64(word(b, 8))/math.MaxUint32*percent*1e6) / 1e6,
		Limit: positive(word(b, 4)), Rate: bits(word(attrs[nl.TCA_NETEM_RATE], 0)),
	}
	if v := attrs[nl.TCA_NETEM_RATE64]; len(v) == 8 {
		o.Rate = bits(number(v))
	}
	var unsaid []string
	for name, there := range map[string]bool{
		"duplicate": word(b, 16) > 0, "reorder": word(attrs[nl.TCA_NETEM_REORDER], 0) > 0,
		"corrupt": word(attrs[nl.TCA_NETEM_CORRUPT], 0) > 0, "slots": len(attrs[netemSlot]) > 0,
	} {
		if there {
			unsaid = append(unsaid, name)
		}
	}
	return o, unsaid
}

// span is a netem's time in ticks, or in nanoseconds where the kernel has them; at
// most what a scenario may say.
func span(ticks uint64, ns []byte) time.Duration {
	d := time.Duration(ticks) * tick
	if len(ns) == 8 {
		d = time.Duration(min(number(ns), uint64(time.Hour)))
	}
	return min(d, time.Hour)
}

// burst is how many bytes go at a rate in bytes a second in so many ticks.
func burst(rate, ticks uint64) int {
	return int(min(math.Round(float64(rate)*float64(ticks)*tick.Seconds()), math.MaxInt32))
}

// bits a second of bytes a second.
func bits(bytes uint64) uint64 { return min(bytes, math.MaxUint64/8) * 8 }

func positive(n uint64) int { return int(min(n, math.MaxInt32)) }

// word is the 32 bits at an offset; 0 where b is shorter.
func word(b []byte, at int) uint64 {
	if len(b) < at+4 {
		return 0
	}
	return uint64(binary.NativeEndian.Uint32(b[at:]))
}

// number is an attribute of 32 or 64 bits.
func number(b []byte) uint64 {
	if len(b) == 8 {
		return binary.NativeEndian.Uint64(b)
	}
	return word(b, 0)
}

// major and minor are the halves of a handle.
func major(h uint32) uint32 { return h >> 16 }
func minor(h uint32) uint32 { return h & 0xffff }

func handle(h uint32) string { return fmt.Sprintf("%x:%x", major(h), minor(h)) }
