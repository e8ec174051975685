// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"slices"
	"strings"

	"skleak/record"
)

// tally is what a sandbox counted between two pictures, in packets.
type tally struct {
	links  []*linkCount
	queues []queueCount
	// ip are the counters of each namespace by name.
	ip map[string]map[string]int64
	// sent is what the sockets gave; refused what they were told was not taken,
	// of which a part may have been given all the same.
	sent, refused int64
	// byPacket: the socket is a packet socket, which IP does not see.
	byPacket bool
}

// linkCount is what one link counted.
type linkCount struct {
	record.LinkState
	label               string
	tx, dropped, errors int64
	// queueing is the qdisc that queues; nil where none does.
	queueing *qdiscCount
	lowers   []*linkCount
	// under: another link of the way hands its packets to this one.
	under bool
}

type qdiscCount struct {
	// kind is that of the qdisc which drops, keeper of that which has what waits;
	// root or child.
	kind, keeper          string
	out, dropped, waiting int64
	// each is the length of what waits, in bytes a packet; 0 where nothing does.
	each int64
}

// queueCount is what one NFQUEUE counted.
type queueCount struct {
	record.QueueState
	in, accepted, dropped int64
}

// countBetween takes the difference of the last picture before the ladder and the one
// before the traffic; ok is false where there are no two.
func countBetween(t record.Trace) (c tally, ok bool) {
	before, after := pictures(t)
	if before == nil || after == nil {
		return c, false
	}
	c.sent, c.refused = int64(after.Sent), int64(refusals(t))
	c.byPacket = strings.HasPrefix(t.Socket, "packet")
	c.ip = ipCounts(*before, *after)
	for _, l := range after.Links {
		c.links = append(c.links, countLink(l, *before, *after))
	}
	for _, l := range c.links {
		for _, name := range l.Lower {
			if lower := c.link(l.Netns, name); lower != nil {
				l.lowers = append(l.lowers, lower)
			}
		}
	}
	for _, q := range after.Queues {
		c.queues = append(c.queues, countQueue(q, *before))
	}
	return c, true
}

func pictures(t record.Trace) (before, after *record.State) {
	for i := range t.State {
		switch st := &t.State[i]; st.When {
		case "before":
			before = st
		case "held", "refilled":
			after = st
		}
	}
	return before, after
}

func ipCounts(before, after record.State) map[string]map[string]int64 {
	all := map[string]map[string]int64{}
	for _, now := range after.IP {
		all[now.Netns] = map[string]int64{}
		for name, n := range now.Counters {
			all[now.Netns][name] = int64(n)
		}
	}
	for _, then := range before.IP {
		for name, n := range then.Counters {
			if all[then.Netns] != nil {
				all[then.Netns][name] -= int64(n)
			}
		}
	}
	return all
}

func (c tally) link(netns, name string) *linkCount {
	for _, l := range c.links {
		if l.Netns == netns && l.Name == name {
			return l
		}
	}
	return nil
}

func countLink(l record.LinkState, before, after record.State) *linkCount {
	n := &linkCount{
		LinkState: l, label: labelOf(l, after),
		tx: int64(l.TxPackets), dropped: int64(l.TxDropped), errors: int64(l.TxErrors),
	}
	for _, was := range before.Links {
		if was.Netns == l.Netns && was.Index == l.Index {
			n.tx -= int64(was.TxPackets)
			n.dropped -= int64(was.TxDropped)
			n.errors -= int64(was.TxErrors)
		}
	}
	n.queueing = countQdisc(l, before, after)
	return n
}

// labelOf is the name that the ladder gives a link.
func labelOf(l record.LinkState, st record.State) string {
	own := func(o record.LinkState) bool { return o.Netns == "" && o.Name == l.Name }
	if l.Netns != "" && slices.ContainsFunc(st.Links, own) {
		return l.Name + " in " + l.Netns
	}
	return l.Name
}

func countQdisc(l record.LinkState, before, after record.State) *qdiscCount {
	var own []record.QdiscState
	var root *record.QdiscState
	for _, q := range after.Qdiscs {
		if q.Netns != l.Netns || q.Link != l.Name {
			continue
		}
		own = append(own, since(q, before))
		if q.Parent == "root" {
			root = &own[len(own)-1]
		}
	}
	if root == nil || root.Kind == "noqueue" {
		return nil
	}
	leaf, _ := record.QueueingQdisc(own)
	c := &qdiscCount{
		kind: leaf.Kind, keeper: leaf.Kind, out: int64(root.Packets), dropped: int64(root.Drops), waiting: int64(root.QLen),
	}
	if root.QLen > 0 {
		c.each = int64(root.Backlog) / int64(root.QLen)
	}
	// A child that dropped all of it is who dropped.
	var droppers []string
	for _, q := range own {
		if q.Parent != "root" && q.Drops > 0 && q.Drops == root.Drops {
			droppers = appendNew(droppers, q.Kind)
		}
	}
	if len(droppers) == 1 && root.Drops > 0 {
		c.kind = droppers[0]
	}
	return c
}

// since is what a qdisc counted since an earlier picture.
func since(q record.QdiscState, before record.State) record.QdiscState {
	for _, was := range before.Qdiscs {
		if was.Netns == q.Netns && was.Link == q.Link && was.Kind == q.Kind && was.Handle == q.Handle && was.Parent == q.Parent {
			q.Packets -= was.Packets
			q.Drops -= was.Drops
		}
	}
	return q
}

func countQueue(q record.QueueState, before record.State) queueCount {
	for _, was := range before.Queues {
		if was.Netns == q.Netns && was.Number == q.Number {
			q.Sequence -= min(was.Sequence, q.Sequence)
			q.QueueDropped -= min(was.QueueDropped, q.QueueDropped)
			q.UserDropped -= min(was.UserDropped, q.UserDropped)
			q.Accepted -= was.Accepted
			q.Dropped -= was.Dropped
		}
	}
	return queueCount{
		QueueState: q,
		// NB: what finds the queue full gets no number (__nfqnl_enqueue_packet,
		// net/netfilter/nfnetlink_queue.c).
		in: int64(q.Sequence + q.QueueDropped), accepted: int64(q.Accepted),
		dropped: int64(q.QueueDropped+q.UserDropped) + int64(q.Dropped),
	}
}

// counting says whether a 0 of the link's counters is one. What only sums up its
// ports counts nothing of its own.
func (l *linkCount) counting() bool {
	traits := record.TraitsOf(l.Kind)
	return traits.Counts || !traits.Ports && l.through() > 0
}

// tunnelling links hand their packets to IP of the same namespace again.
func (l *linkCount) tunnelling() bool { return record.TraitsOf(l.Kind).Tunnels }

// copying links may give each of their ports a packet.
func (l *linkCount) copying() bool { return record.TraitsOf(l.Kind).Ports }

// consuming links are where a packet's way ends.
func (l *linkCount) consuming() bool { return record.TraitsOf(l.Kind).Ends && len(l.lowers) == 0 }

// through is what came to the driver, by its own count.
func (l *linkCount) through() int64 {
	n := l.tx + l.dropped
	if l.tunnelling() {
		n += l.errors
	}
	return n
}

// handed is what the driver gave to what is below it. What that refuses is
// among it: the driver counts it as dropped.
func (l *linkCount) handed() int64 {
	if len(l.lowers) > 0 {
		return l.tx + l.dropped
	}
	return l.tx
}

// ipOutput is how many packets of the sender IPv4 sent; ok is false where it
// counts none of them. A tunnel's packets pass it twice. OutTransmits is new in
// 6.7 (b4a11b2033b7), where OutRequests no longer counts what has its header
// included; before it OutRequests was counted there.
func (c tally) ipOutput(onTheWay []*linkCount) (n int64, ok bool) {
	own := c.ip[""]
	if c.byPacket || own == nil {
		return 0, false
	}
	if n, ok = own["OutTransmits"]; !ok {
		n = own["OutRequests"]
	}
	for _, l := range onTheWay {
		if l.tunnelling() {
			n -= l.tx
		}
	}
	return n, true
}
