// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"slices"
	"strings"

	"skleak/record"
)

const theSocket, ipOutput = "the socket", "IP output"

// stage is a record.Stage with what may be concluded from it.
type stage struct {
	record.Stage
	// after and point name its two ends: "between IP output and v0".
	after, point string
	// alone is the holder if nothing else lies between the two ends; "" if
	// something does.
	alone string
	// lastWord: what the stage says it dropped it dropped itself, and it was no
	// copy that somebody above made.
	lastWord bool
	// span are the places between them.
	span span
}

// span is a part of the way.
type span struct {
	// links whose drivers, qdiscs and neighbours are in it.
	links []string
	// stack: so is what lies before the first link.
	stack bool
	// queue is an NFQUEUE in it.
	queue string
}

// covers reports whether a place, named as a holder is, lies in the span.
func (s span) covers(place string) bool {
	if place == "the stack, before any device" || place == "the queue of an xfrm policy" || place == "netfilter rules" {
		return s.stack
	}
	if strings.HasPrefix(place, "nfqueue ") {
		return s.queue == place
	}
	name := place
	for _, prefix := range []string{"driver of ", "reader of ", "received by "} {
		name = strings.TrimPrefix(name, prefix)
	}
	if _, on, ok := strings.Cut(name, " on "); ok {
		name = on
	}
	return slices.Contains(s.links, name)
}

// way is the account of the packets' way through the sandbox's own namespace.
type way struct {
	tally
	stages []stage
	// links are those on the way, the uppermost first.
	links []*linkCount
	// blind: something on the way counts nothing, so the account has no end.
	blind bool
}

// account follows the packets from the socket down. ok is false where the trace
// has no pictures to take a difference of.
func account(t record.Trace) (w way, ok bool) {
	if w.tally, ok = countBetween(t); !ok {
		return w, false
	}
	w.collect()
	at := flow{name: theSocket, out: w.sent, stack: true}
	w.stages = append(w.stages, stage{Stage: record.Stage{Stage: theSocket, In: w.sent, Out: w.sent}})
	at = w.queuesAt("output", at)
	at = w.output(at)
	at = w.queuesAt("postrouting", at)
	w.descend(at)
	return w, true
}

// collect finds the links on the way. NB: a loop of links cannot be built, but a
// bent trace may have one.
func (w *way) collect() {
	for _, l := range w.tally.links {
		if l.Via {
			w.links = append(w.links, l)
		}
	}
	for i := 0; i < len(w.links); i++ {
		for _, lower := range w.links[i].lowers {
			lower.under = true
			if !slices.Contains(w.links, lower) {
				w.links = append(w.links, lower)
			}
		}
	}
}

// flow is what leaves a stage.
type flow struct {
	name  string
	out   int64
	link  *linkCount
	stack bool
	queue string
}

// queuesAt accounts for the NFQUEUEs of one hook. One that took but a part of
// the packets stands beside the way.
func (w *way) queuesAt(hook string, at flow) flow {
	for _, q := range w.queues {
		if q.Netns != "" || len(q.Hooks) != 1 || q.Hooks[0] != hook || q.in == 0 {
			continue
		}
		name := queueName(q.QueueState)
		if q.in < at.out-w.refused {
			at.queue = name
			continue
		}
		s := record.Stage{
			Stage: name, In: max(at.out, min(q.in, at.out+w.refused)), Out: q.accepted, Dropped: q.dropped, Waiting: int64(q.Waiting),
		}
		s.Lost = s.In - s.Out - s.Dropped - s.Waiting
		w.stages = append(w.stages, stage{
			Stage: s, after: at.name, point: name, alone: name, lastWord: true, span: span{stack: true, queue: name},
		})
		at = flow{name: name, out: q.accepted, stack: true, queue: name}
	}
	return at
}

// output accounts for IP, where it counts.
func (w *way) output(at flow) flow {
	n, ok := w.ipOutput(w.links)
	passed := slices.ContainsFunc(w.links, func(l *linkCount) bool { return l.Via && l.through() > 0 })
	if !ok || n == 0 && passed {
		return at
	}
	s := record.Stage{Stage: ipOutput, In: at.out, Out: n, Lost: at.out - n}
	if at.name == theSocket && n > at.out {
		// What was refused after IP had it was sent as well.
		s.In = min(n, at.out+w.refused)
		s.Lost = s.In - n
	}
	// What an NFQUEUE had accepted comes to IP output next.
	w.stages = append(w.stages, stage{
		Stage: s, after: at.name, point: ipOutput, alone: at.queue, span: span{stack: true, queue: at.queue},
	})
	return flow{name: ipOutput, out: n, stack: true}
}

// group is a number of flows with the links they feed.
type group struct {
	from []flow
	// past are links between the two that count nothing.
	past, to []*linkCount
	// open: some of it goes where nothing counts.
	open bool
}

// descend accounts for the links.
func (w *way) descend(at flow) {
	var top []*linkCount
	for _, l := range w.links {
		if l.Via {
			top = append(top, l)
		}
	}
	groups := []group{w.feed(at, top)}
	for _, l := range w.links {
		if l.counting() && len(l.lowers) > 0 {
			groups = append(groups, w.feed(flow{name: l.label, out: l.handed(), link: l}, l.lowers))
		}
	}
	for _, g := range joined(groups) {
		if g.open {
			w.blind = true
			continue
		}
		w.stages = append(w.stages, g.entry())
		for _, l := range g.to {
			if l.queueing != nil {
				w.stages = append(w.stages, l.driver())
			}
		}
	}
}

// feed finds the counting links that a flow comes to.
func (w *way) feed(from flow, links []*linkCount) group {
	g := group{from: []flow{from}}
	var into func(*linkCount)
	into = func(l *linkCount) {
		switch {
		case slices.Contains(g.to, l) || slices.Contains(g.past, l):
		case l.counting():
			g.to = append(g.to, l)
		case l.queueing != nil && l.queueing.through() > 0:
			g.to = append(g.to, l)
			w.blind = true
		default:
			g.past = append(g.past, l)
			g.open = g.open || len(l.lowers) == 0
			for _, lower := range l.lowers {
				into(lower)
			}
		}
	}
	for _, l := range links {
		into(l)
	}
	g.open = g.open || len(g.to) == 0
	return g
}

// joined makes one of all groups that feed the same link.
func joined(groups []group) []group {
	var out []group
	for _, g := range groups {
		var apart []group
		for _, o := range out {
			if o.shares(g) {
				g = o.and(g)
			} else {
				apart = append(apart, o)
			}
		}
		out = append(apart, g)
	}
	return out
}

func (g group) shares(o group) bool {
	return slices.ContainsFunc(g.to, func(l *linkCount) bool { return slices.Contains(o.to, l) })
}

func (g group) and(o group) group {
	both := group{from: slices.Concat(g.from, o.from), past: slices.Concat(g.past, o.past), to: g.to, open: g.open || o.open}
	for _, l := range o.to {
		if !slices.Contains(both.to, l) {
			both.to = append(slices.Clone(both.to), l)
		}
	}
	return both
}

// entry is the stage by which the links of the group take their packets.
func (g group) entry() stage {
	var s stage
	var names, points, after []string
	for _, f := range g.from {
		s.In += f.out
		after = append(after, f.name)
		s.span.stack = s.span.stack || f.stack
		if f.queue != "" {
			s.span.queue = f.queue
		}
		if f.link != nil {
			s.span.links = append(s.span.links, f.link.label)
		}
	}
	for _, l := range g.past {
		s.span.links = append(s.span.links, l.label)
	}
	for _, l := range g.to {
		s.Netns = l.Netns
		s.span.links = append(s.span.links, l.label)
		if q := l.queueing; q != nil {
			names, points = append(names, l.qdiscName()), append(points, l.qdiscName())
			s.Out, s.Dropped, s.Waiting = s.Out+q.out, s.Dropped+q.dropped, s.Waiting+q.waiting
			continue
		}
		names, points = append(names, "driver of "+l.label), append(points, l.label)
		s.Out, s.Dropped = s.Out+l.through()-l.dropped, s.Dropped+l.dropped
	}
	s.Stage.Stage = strings.Join(names, joiner)
	s.after, s.point = strings.Join(after, joiner), strings.Join(points, joiner)
	if len(g.past) == 1 && g.past[0].Kind == "bond" {
		s.point = "the ports of " + g.past[0].label
	}
	s.lastWord = len(g.to) == 1 && !g.to[0].under && (g.to[0].queueing != nil || len(g.to[0].lowers) == 0)
	s.Lost = s.In - s.Out - s.Dropped - s.Waiting
	if s.Lost < 0 && g.copies() {
		s.Lost = g.copiedLost(s.In)
	}
	return s
}

func (g group) copies() bool {
	if len(g.to) < 2 {
		return false
	}
	return slices.ContainsFunc(g.past, (*linkCount).copying) ||
		slices.ContainsFunc(g.from, func(f flow) bool { return f.link != nil && f.link.copying() })
}

// copiedLost is what each port that is in use lacks, where each is given all:
// the same for all of them, or one port's alone; else nothing can be told, and
// it is 0.
func (g group) copiedLost(in int64) int64 {
	var lacks []int64
	for _, l := range g.to {
		n := l.through()
		if l.queueing != nil {
			n = l.queueing.through()
		}
		if n > 0 {
			lacks = append(lacks, in-n)
		}
	}
	slices.Sort(lacks)
	all := slices.Compact(slices.Clone(lacks))
	if len(all) == 1 {
		return all[0]
	}
	if len(all) == 2 && all[0] == 0 && lacks[len(lacks)-2] == 0 {
		return all[1]
	}
	return 0
}

// driver is what lies between a link's qdisc and its own count.
func (l *linkCount) driver() stage {
	name := "driver of " + l.label
	s := stage{
		after: l.qdiscName(), point: l.label, alone: name, lastWord: !l.under && len(l.lowers) == 0,
		span: span{links: []string{l.label}},
	}
	s.Stage = record.Stage{
		Stage: name, Netns: l.Netns, In: l.queueing.out, Out: l.through() - l.dropped, Dropped: l.dropped,
		Lost: l.queueing.out - l.through(),
	}
	if !l.counting() {
		s.Lost = 0
	}
	return s
}

func (l *linkCount) qdiscName() string { return "qdisc " + l.queueing.kind + " on " + l.label }

func (q *qdiscCount) through() int64 { return q.out + q.dropped + q.waiting }

// stages is the account as a report shows it; nil without pictures.
func stages(t record.Trace) []record.Stage {
	w, ok := account(t)
	if !ok {
		return nil
	}
	var out []record.Stage
	for _, s := range w.stages {
		out = append(out, s.Stage)
	}
	return out
}
