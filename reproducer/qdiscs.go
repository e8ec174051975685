// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"fmt"
	"slices"
	"strconv"

	"skleak/scenarios"
)

// qdisc is `tc qdisc add` of q below a parent: one line a kind.
func qdisc(ns, link string, parent []string, q scenarios.Qdisc) []string {
	add := func(words ...string) []string {
		return []string{must(ns, slices.Concat([]string{"tc", "qdisc", "add", "dev", link}, parent, words)...)}
	}
	switch o := q.Options.(type) {
	case *scenarios.PlugOptions:
		return add(limited("plug", o.Limit)...)
	case *scenarios.TbfOptions:
		return add("tbf", "rate", bits(o.Rate), "burst", strconv.Itoa(o.Burst), "limit", strconv.Itoa(o.Limit))
	case *scenarios.HtbOptions:
		return htb(ns, link, parent, o)
	case *scenarios.NetemOptions:
		return add(netem(o)...)
	case *scenarios.FqOptions:
		words := limited("fq", o.Limit)
		if o.MaxRate > 0 {
			words = append(words, "maxrate", bits(o.MaxRate))
		}
		return add(words...)
	case *scenarios.FqCodelOptions:
		return add(limited("fq_codel", o.Limit)...)
	case *scenarios.PfifoOptions:
		return add(limited("pfifo", o.Limit)...)
	case *scenarios.PrioOptions:
		return add("prio")
	case *scenarios.SfqOptions:
		return add(limited("sfq", o.Limit)...)
	case *scenarios.CodelOptions:
		return add(limited("codel", o.Limit)...)
	case *scenarios.CakeOptions:
		words := []string{"cake"}
		if o.Rate > 0 {
			words = append(words, "bandwidth", bits(o.Rate))
		}
		if o.Limit > 0 {
			words = append(words, "memlimit", strconv.Itoa(o.Limit))
		}
		return add(words...)
	}
	return []string{fmt.Sprintf("skip %s", quote("no way is known to add a qdisc of kind "+q.Kind()))}
}

func bits(n uint64) string { return strconv.FormatUint(n, 10) + "bit" }

func limited(kind string, limit int) []string {
	if limit == 0 {
		return []string{kind}
	}
	return []string{kind, "limit", strconv.Itoa(limit)}
}

// htb is one with a class, 1:1, that everything goes to. Its quantum is an
// Ethernet frame, lest the kernel warn.
func htb(ns, link string, parent []string, o *scenarios.HtbOptions) []string {
	burst := strconv.Itoa(o.Burst)
	out := []string{
		must(ns, slices.Concat([]string{"tc", "qdisc", "add", "dev", link}, parent, []string{"handle", "1:", "htb", "default", "1"})...),
		must(ns, "tc", "class", "add", "dev", link, "parent", "1:", "classid", "1:1", "htb",
			"rate", bits(max(8, o.Rate)), "burst", burst, "cburst", burst, "quantum", "1514"),
	}
	if o.Leaf != nil {
		out = append(out, qdisc(ns, link, []string{"parent", "1:1"}, *o.Leaf)...)
	}
	return out
}

func netem(o *scenarios.NetemOptions) []string {
	words := limited("netem", o.Limit)
	if o.Delay > 0 || o.Jitter > 0 {
		words = append(words, "delay", fmt.Sprintf("%dus", o.Delay.Microseconds()))
	}
	if o.Jitter > 0 {
		words = append(words, fmt.Sprintf("%dus", o.Jitter.Microseconds()))
	}
	if o.Loss > 0 {
		words = append(words, "loss", fmt.Sprintf("%g%%", o.Loss))
	}
	if o.Rate > 0 {
		words = append(words, "rate", bits(o.Rate))
	}
	return words
}
