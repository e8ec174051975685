// SPDX-License-Identifier: GPL-2.0-only

package record

import "strings"

// Stage is one place on the packets' way and what it counts of them, from before
// the traffic until after settling, in packets.
type Stage struct {
	// Stage is "the socket", "nfqueue 0", "IP output", "qdisc tbf on v0" or
	// "driver of v0"; several that can only be counted together are joined by
	// " and ".
	Stage string `json:"stage"`
	Netns string `json:"netns,omitempty"`
	// In is what the stage before it gave out, Out what it gave out itself.
	In  int64 `json:"in"`
	Out int64 `json:"out"`
	// Dropped is what it says it dropped, Waiting what it says it has.
	Dropped int64 `json:"dropped"`
	Waiting int64 `json:"waiting"`
	// Lost is In less the others: what vanished between the stage before it and
	// its own count. Below 0 others sent something too.
	Lost int64 `json:"lost"`
}

// QueueingQdisc picks that qdisc of one link which has what waits there: a
// child, if all of it is in children of one kind, else the root. Below mq it is
// the child in any case. ok is false without a root.
func QueueingQdisc(qs []QdiscState) (q QdiscState, ok bool) {
	var root QdiscState
	var children []QdiscState
	for _, q := range qs {
		switch q.Parent {
		case "root":
			root, ok = q, true
		case "ingress", "clsact":
		default:
			children = append(children, q)
		}
	}
	var leaf QdiscState
	var inside uint64
	for _, c := range children {
		switch {
		case c.Backlog == 0 || hasFullChild(c, children):
			continue
		case leaf.Kind != "" && leaf.Kind != c.Kind:
			return root, ok
		}
		leaf = c
		inside += uint64(c.Backlog)
	}
	switch {
	case root.Kind == "mq" && leaf.Kind == "" && len(children) > 0:
		return children[0], ok
	case leaf.Kind == "" || uint64(root.Backlog) > inside && root.Kind != "mq":
		return root, ok
	default:
		return leaf, ok
	}
}

func hasFullChild(q QdiscState, among []QdiscState) bool {
	for _, c := range among {
		if c.Backlog > 0 && c.ChildOf(q) {
			return true
		}
	}
	return false
}

// ChildOf reports that q hangs below another qdisc of its link, in whatever
// class: their major numbers are the same.
func (q QdiscState) ChildOf(other QdiscState) bool {
	parent, _, _ := strings.Cut(q.Parent, ":")
	handle, _, _ := strings.Cut(other.Handle, ":")
	return parent != "" && parent == handle && q.Handle != other.Handle && q.Link == other.Link && q.Netns == other.Netns
}
