// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"cmp"
	"slices"
	"strings"

	"skleak/scenarios"
)

// handleRoot and handleIngress are TC_H_ROOT and TC_H_INGRESS.
const (
	handleRoot    = 0xffffffff
	handleIngress = 0xfffffff1
)

// maxDepth bounds how deep qdiscs are followed: what was read in several dumps may
// name each other.
const maxDepth = 8

// queueing finds the queue of one link.
type queueing struct {
	facts  Facts
	link   Link
	remark func(format string, args ...any)
	// ownDefault: the link of the scenario gets the same queue by itself.
	ownDefault bool
}

// queue is the qdisc of the link as a scenario has it; nil leaves the kernel's.
func (q queueing) queue() *scenarios.Qdisc {
	for _, one := range q.of() {
		if one.Parent == handleIngress {
			q.remark("qdisc %s at its ingress: not said; packets it redirects to another link go their own way here", one.Kind)
		}
	}
	i := slices.IndexFunc(q.of(), func(d Qdisc) bool { return d.Parent == handleRoot })
	if i < 0 {
		return nil
	}
	root := q.of()[i]
	if q.ownDefault && root.Handle == 0 {
		if root.Kind != "noqueue" {
			q.remark("qdisc %s is the kernel's default and left to it (net.core.default_qdisc)", root.Kind)
		}
		return nil
	}
	return q.one(root, 0)
}

func (q queueing) of() []Qdisc {
	return slices.DeleteFunc(slices.Clone(q.facts.Qdiscs), func(d Qdisc) bool { return d.Link != q.link.Index })
}

// one is a qdisc of the link, or that one below it which has the packets.
func (q queueing) one(d Qdisc, depth int) *scenarios.Qdisc {
	if depth > maxDepth {
		return nil
	}
	switch d.Kind {
	case "noqueue":
		if q.link.Kind == "tun" || q.link.Kind == "tap" {
			q.remark("it has no qdisc: not said; here it has the kernel's default")
		}
		return nil
	case "pfifo_fast":
		return &scenarios.Qdisc{Options: &scenarios.PfifoOptions{Limit: max(q.link.TxQueueLen, 0)}}
	case "mq", "mqprio":
		return q.many(d, depth)
	case "htb":
		return q.htb(d, depth)
	case "prio":
		if below, ok := q.below(d, uint32(priority(d))+1); ok && below.Handle != 0 {
			q.remark("qdisc prio: only the band of ordinary packets is said, its qdisc %s", below.Kind)
			return q.one(below, depth+1)
		}
	}
	options, unsaid := qdiscOptions(d)
	if options == nil {
		q.remark("qdisc %s: no scenario has it; here it is left out", d.Kind)
		return nil
	}
	if below, ok := q.below(d, 1); ok && below.Handle != 0 && d.Kind != "prio" {
		q.remark("qdisc %s below %s: not said", below.Kind, d.Kind)
	}
	if len(unsaid) > 0 {
		slices.Sort(unsaid)
		q.remark("%s of qdisc %s: not said", strings.Join(unsaid, ", "), d.Kind)
	}
	return &scenarios.Qdisc{Options: options}
}

// many is a card's qdisc with one for each of its queues.
func (q queueing) many(d Qdisc, depth int) *scenarios.Qdisc {
	var children []Qdisc
	for _, c := range q.of() {
		if c.Parent != handleRoot && major(c.Parent) == major(d.Handle) && minor(c.Parent) != 0 {
			children = append(children, c)
		}
	}
	if len(children) == 0 {
		q.remark("qdisc %s: no scenario has it; here it is left out", d.Kind)
		return nil
	}
	fullest := slices.MaxFunc(children, func(a, b Qdisc) int { return cmp.Compare(a.Backlog, b.Backlog) })
	q.remark("%d queues below qdisc %s: here there is one, with its qdisc %s", len(children), d.Kind, fullest.Kind)
	return q.one(fullest, depth+1)
}

// below is the qdisc in a class of d.
func (q queueing) below(d Qdisc, class uint32) (Qdisc, bool) {
	for _, c := range q.of() {
		if c.Parent != handleRoot && d.Handle != 0 && c.Parent == major(d.Handle)<<16|class {
			return c, true
		}
	}
	return Qdisc{}, false
}

// priority is the band of ordinary packets by struct tc_prio_qopt, whose map
// follows its number of bands.
func priority(d Qdisc) byte {
	const bands = 4
	if len(d.Options) <= bands {
		return 1
	}
	return d.Options[bands]
}

// htb is the class that takes what nobody classifies, with the rate it may have at
// the most.
func (q queueing) htb(d Qdisc, depth int) *scenarios.Qdisc {
	// struct tc_htb_glob: version, rate2quantum, defcls.
	class, ok := q.class(major(d.Handle)<<16 | uint32(word(attributes(d.Options)[htbInit], 8))&0xffff)
	if !ok {
		q.remark("qdisc htb without a class for what nobody classifies: such packets pass it unshaped, and so they do here, with no qdisc")
		return nil
	}
	own := 0
	for _, c := range q.facts.Classes {
		if c.Link == q.link.Index {
			own++
		}
	}
	rate := q.rate(class, 0)
	o := &scenarios.HtbOptions{Rate: max(bits(rate), 8), Burst: max(burst(class.Rate, uint64(class.Buffer)), 1)}
	if own > 1 || rate != class.Rate {
		q.remark("%d classes of qdisc htb: here there is one, as %s, which takes what nobody classifies, at the %d bit/s it may have", own, handle(class.Handle), o.Rate)
	}
	if leaf, ok := q.below(d, minor(class.Handle)); ok && leaf.Handle != 0 {
		if leaf.Kind == "htb" {
			q.remark("qdisc htb below htb: not said")
			return &scenarios.Qdisc{Options: o}
		}
		o.Leaf = q.one(leaf, depth+1)
		if o.Leaf != nil && o.Leaf.Kind() == "htb" {
			o.Leaf = nil
		}
	}
	return &scenarios.Qdisc{Options: o}
}

// htbInit is TCA_HTB_INIT.
const htbInit = 2

func (q queueing) class(handle uint32) (Class, bool) {
	for _, c := range q.facts.Classes {
		if c.Link == q.link.Index && c.Handle == handle && minor(handle) != 0 {
			return c, true
		}
	}
	return Class{}, false
}

// rate is what a class may send at the most, in bytes a second: what it borrows is
// bounded by its ceiling and by its parent's rate (net/sched/sch_htb.c).
func (q queueing) rate(c Class, depth int) uint64 {
	parent, ok := q.class(c.Parent)
	if !ok || depth > maxDepth {
		return c.Rate
	}
	return min(max(c.Ceil, c.Rate), max(c.Rate, q.rate(parent, depth+1)))
}
