// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"skleak/record"
)

const eachCost = 832

// scene is a sandbox before and after its traffic, and what of it leaked.
type scene struct {
	sent    int
	lost    int
	refused int
	socket  string
	ip      map[string]uint64
	endIP   map[string]uint64
	links   []record.LinkState
	qdiscs  []record.QdiscState
	queues  []record.QueueState
	rungs   []record.RungTrace
	ledger  *record.Ledger
	bend    func(*record.Trace)
}

// trace makes the scene one of counters that were not 0 before.
func (s scene) trace() record.Trace {
	left := int64(s.lost) * eachCost
	before := record.State{When: "before"}
	after := record.State{When: "held", Sent: s.sent, Queues: s.queues}
	end := record.State{When: "end", Sent: s.sent, IP: []record.IPState{{Counters: plus(4, s.endIP)}}}
	if s.ip != nil {
		after.IP = []record.IPState{{Counters: plus(4, s.ip)}}
		before.IP = []record.IPState{{Counters: map[string]uint64{}}}
		for name := range s.ip {
			before.IP[0].Counters[name] = 4
		}
	}
	for i, l := range s.links {
		l.Index = i + 2
		after.Links = append(after.Links, l)
		l.TxPackets, l.TxDropped, l.TxErrors = 0, 0, 0
		before.Links = append(before.Links, l)
	}
	for _, q := range s.qdiscs {
		after.Qdiscs = append(after.Qdiscs, q)
		q.Packets, q.Drops, q.Backlog, q.QLen = 0, 0, 0, 0
		before.Qdiscs = append(before.Qdiscs, q)
	}
	t := record.Trace{
		Sent: s.sent, Truesize: eachCost, Ledger: s.ledger, Socket: s.socket, Refused: map[string]int{},
		Settle:  record.Reading{Bytes: left, Writable: true, PerSocket: []uint32{uint32(left)}},
		Sockets: []record.SocketTrace{{Name: "v0", SndBuf: 212992, Peak: left, Sent: s.sent, PacketsToStall: -1}},
		State:   []record.State{before, after, end},
		Rungs:   append(s.rungs, record.RungTrace{Rung: record.RungDelete, On: "v0", Holder: "driver of v0"}),
	}
	if s.refused > 0 {
		t.Refused["ENOBUFS"] = s.refused
	}
	for i := range t.Rungs {
		t.Rungs[i].Before, t.Rungs[i].After = left, left
	}
	if s.bend != nil {
		s.bend(&t)
	}
	return t
}

func plus(n uint64, m map[string]uint64) map[string]uint64 {
	out := maps.Clone(m)
	for name := range out {
		out[name] += n
	}
	return out
}

func ipOut(n uint64) map[string]uint64 { return map[string]uint64{"OutTransmits": n} }

// via is a link that is sent through, on that one below it.
func via(kind, name string, tx uint64, lower ...string) record.LinkState {
	return record.LinkState{Name: name, Kind: kind, Via: true, TxPackets: tx, Lower: lower}
}

func below(kind, name string, tx uint64, lower ...string) record.LinkState {
	return record.LinkState{Name: name, Kind: kind, TxPackets: tx, Lower: lower}
}

func queue0(change func(*record.QueueState)) []record.QueueState {
	q := record.QueueState{Hooks: []string{"output"}, Links: []string{"v0"}}
	change(&q)
	return []record.QueueState{q}
}

func accepted(n int) []record.QueueState {
	return queue0(func(q *record.QueueState) { q.Sequence, q.Seen, q.Accepted = uint64(n), n, n })
}

type leakCase struct {
	name   string
	scene  scene
	holder string
}

func checkLeaks(t *testing.T, tests []leakCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Judge(tt.scene.trace())
			if f.Verdict != record.Leaked || f.Holder != tt.holder {
				t.Errorf("%s by %q, want %q\n%s", f.Verdict, f.Holder, tt.holder, f.Reason)
			}
		})
	}
}

// Who loses it under whom: the driver is named where nothing else lies there.
func TestLeakOfALink(t *testing.T) {
	one := func(links ...record.LinkState) scene {
		return scene{sent: 3000, lost: 30, ip: ipOut(3000), links: links}
	}
	dropped := func(l record.LinkState, n uint64) record.LinkState { l.TxDropped = n; return l }
	failed := func(l record.LinkState, n uint64) record.LinkState { l.TxErrors = n; return l }
	checkLeaks(t, []leakCase{
		{"a veth", one(via("veth", "v0", 2970)), "between IP output and v0"},
		{"a veth that says it dropped them", one(dropped(via("veth", "v0", 2970), 30)), "driver of v0"},
		{"a veth that dropped others", one(dropped(via("veth", "v0", 2960), 40)), record.NotKnown},
		{"all of a veth's", scene{sent: 3000, lost: 3000, ip: ipOut(3000), links: []record.LinkState{via("veth", "v0", 0)}}, "between IP output and v0"},
		{"behind a veth's count", one(via("veth", "v0", 3000)), "after v0"},
		{"a dummy", one(via("dummy", "d0", 3000)), "driver of d0"},
		{"a dummy below a vlan", one(via("vlan", "v0.7", 3000, "d0"), below("dummy", "d0", 3000)), "between v0.7 and the end of d0"},
		{"a vlan, or the veth below it", one(via("vlan", "v0.7", 3000, "v0"), below("veth", "v0", 2970)), "between v0.7 and v0"},
		{"before a vlan", one(via("vlan", "v0.7", 2970, "v0"), below("veth", "v0", 2970)), "between IP output and v0.7"},
		{"a vlan whose lower link refused them", one(dropped(via("vlan", "v0.7", 2970, "v0"), 30), below("veth", "v0", 2970)), "between v0.7 and v0"},
		{"a bridge, or a veth below it", one(via("bridge", "br0", 3000, "p0", "p1"), below("veth", "p0", 2970), below("veth", "p1", 3000)), "between br0 and p0 and p1"},
		{"a bridge that lost the original", one(via("bridge", "br0", 3000, "p0", "p1"), below("veth", "p0", 3000), below("veth", "p1", 3000)), "after br0"},
		{"a bridge with a port that is blocked", scene{
			sent: 3000, lost: 3000, ip: ipOut(3000),
			links: []record.LinkState{via("bridge", "br0", 3000, "p0", "p1"), below("veth", "p0", 3000), below("veth", "p1", 0)},
		}, "after br0"},
		{"a bond, or a port", one(via("bond", "bond0", 2970, "p0", "p1"), below("veth", "p0", 1485), below("veth", "p1", 1485)), "between IP output and the ports of bond0"},
		{"a bond that copies", one(via("bond", "bond0", 5940, "p0", "p1"), below("veth", "p0", 2970), below("veth", "p1", 2970)), "between IP output and the ports of bond0"},
		{"a bond's port under a vlan", one(via("vlan", "b.7", 3000, "bond0"), below("bond", "bond0", 2970, "p0"), below("veth", "p0", 2970)), "between b.7 and the ports of bond0"},
		{"a team that says it dropped them", one(dropped(via("team", "team0", 2970, "p0"), 30), below("veth", "p0", 2970)), "between team0 and p0"},
		{"a few of all that a team dropped", scene{
			sent: 3000, lost: 3, ip: ipOut(3000),
			links: []record.LinkState{dropped(via("team", "team0", 0, "p0"), 3000), below("veth", "p0", 0)},
		}, record.NotKnown},
		{"a few of all that a veth dropped", scene{
			sent: 3000, lost: 3, ip: ipOut(3000), links: []record.LinkState{dropped(via("veth", "v0", 0), 3000)},
		}, "driver of v0"},
		{"a few of all that a veth dropped below a vlan", scene{
			sent: 3000, lost: 3, ip: ipOut(3000),
			links: []record.LinkState{dropped(via("vlan", "v0.7", 0, "v0"), 3000), dropped(below("veth", "v0", 0), 3000)},
		}, record.NotKnown},
		{"a tunnel", scene{
			sent: 3000, lost: 30, ip: ipOut(5970),
			links: []record.LinkState{via("gre", "gr0", 2970, "v0"), below("veth", "v0", 2970)},
		}, "between IP output and gr0"},
		{"a tunnel without a route", scene{
			sent: 3000, lost: 3000, ip: ipOut(3000),
			links: []record.LinkState{failed(via("geneve", "gv0", 0, "v0"), 3000), below("veth", "v0", 0)},
		}, "driver of gv0"},
		{"a dummy below a bridge that reported a membership", scene{
			sent: 3000, lost: 30, ip: ipOut(3001),
			links: []record.LinkState{via("bridge", "br0", 3001, "d0"), below("dummy", "d0", 3001)},
		}, "between br0 and the end of d0"},
		{"two dummies", one(via("dummy", "d0", 1500), via("dummy", "d1", 1500)), "after d0 and d1"},
		{"a dummy that something else went through as well", scene{
			sent: 3000, lost: 30, ip: ipOut(3001), links: []record.LinkState{via("dummy", "d0", 3001)},
		}, "after d0"},
		{"a tunnel that wants more room", scene{
			sent: 3000, lost: 5000, ip: ipOut(3000),
			links: []record.LinkState{via("gre", "gr0", 0, "v0"), below("veth", "v0", 0)},
			bend:  func(t *record.Trace) { t.Truesize = 499 },
		}, record.NotKnown},
		{"a tunnel that wants more room, and loses all", scene{
			sent: 3000, lost: 3000, ip: ipOut(3000),
			links: []record.LinkState{via("gre", "gr0", 0, "v0"), below("veth", "v0", 0)},
			bend:  func(t *record.Trace) { t.Truesize = 416 },
		}, "between IP output and gr0"},
		{"a driver that counts nothing", one(via("strange", "x0", 0)), record.NotKnown},
		{"a packet socket's", scene{sent: 3000, lost: 30, socket: "packet", ip: ipOut(2), links: []record.LinkState{via("veth", "v0", 2970)}}, "between the socket and v0"},
		{"two links of one socket", one(via("veth", "v0", 1500), via("veth", "w0", 1470)), "between IP output and v0 and w0"},
	})
}

// What is lost before any link is no link's fault.
func TestLeakBeforeTheLinks(t *testing.T) {
	idle := []record.LinkState{via("veth", "v0", 0)}
	full := []record.LinkState{via("veth", "v0", 3000)}
	drop := queue0(func(q *record.QueueState) { q.Sequence, q.Seen, q.Dropped = 3000, 3000, 3000 })
	wait := queue0(func(q *record.QueueState) { q.Sequence, q.Seen, q.Withheld, q.Waiting = 3000, 3000, 3000, 3000 })
	some := queue0(func(q *record.QueueState) { q.Sequence, q.Seen, q.Dropped, q.Accepted = 3000, 3000, 2000, 1000 })
	one := queue0(func(q *record.QueueState) {
		q.Sequence, q.Seen, q.Withheld, q.Waiting, q.Accepted = 3000, 3000, 1, 1, 2999
	})
	late := accepted(3000)
	late[0].Hooks = []string{"postrouting"}
	less := []record.LinkState{via("veth", "v0", 2997)}
	checkLeaks(t, []leakCase{
		{"a policy keeps them", scene{sent: 3000, lost: 3000, ip: ipOut(0), links: idle}, "between the socket and IP output"},
		{"a policy keeps them after IP counted", scene{sent: 3000, lost: 3000, ip: ipOut(3000), links: idle}, "between IP output and v0"},
		{"a verdict to drop that does not free", scene{sent: 3000, lost: 3000, ip: ipOut(0), queues: drop, links: idle}, "nfqueue 0"},
		{"one in 1,000 accepted and gone", scene{sent: 3000, lost: 3, ip: ipOut(2997), queues: accepted(3000), links: less}, "nfqueue 0"},
		{"one in 1,000 of the verdicts to drop", scene{sent: 3000, lost: 3, ip: ipOut(0), queues: drop, links: idle}, "nfqueue 0"},
		{"the same, and others come through", scene{sent: 3000, lost: 3, ip: ipOut(1000), queues: some, links: []record.LinkState{via("veth", "v0", 1000)}}, record.NotKnown},
		{"one before the ladder, one on it", scene{sent: 3000, lost: 2, ip: ipOut(2998), endIP: ipOut(2998), queues: one, links: []record.LinkState{via("veth", "v0", 2998)}}, "nfqueue 0"},
		{"the same at postrouting", scene{sent: 3000, lost: 3, ip: ipOut(3000), queues: late, links: less}, "between nfqueue 0 and v0"},
		{"a veth after an NFQUEUE", scene{sent: 3000, lost: 3, ip: ipOut(3000), queues: accepted(3000), links: less}, "between IP output and v0"},
		{"all of a veth's after an NFQUEUE that waited", scene{sent: 3000, lost: 3000, ip: ipOut(0), endIP: ipOut(3000), queues: wait, links: idle}, record.NotKnown},
		{"an NFQUEUE that forgets what waits", scene{sent: 3000, lost: 3000, ip: ipOut(0), endIP: ipOut(0), queues: wait, links: idle}, "nfqueue 0"},
		{"an NFQUEUE that took only some", scene{sent: 3000, lost: 30, ip: ipOut(2970), queues: accepted(100), links: []record.LinkState{via("veth", "v0", 2970)}}, "nfqueue 0"},
		{"an older kernel", scene{sent: 3000, lost: 30, ip: map[string]uint64{"OutRequests": 3000}, links: []record.LinkState{via("veth", "v0", 2970)}}, "between IP output and v0"},
		{"nobody counted IP", scene{sent: 3000, lost: 30, links: full}, "after v0"},
	})
}

// Packets of the kernel's own bend the counts; nobody is named by them.
func TestLeakAmongForeignPackets(t *testing.T) {
	port := func(tx uint64) []record.LinkState {
		return []record.LinkState{via("vlan", "v0.7", 3000, "v0"), below("veth", "v0", tx)}
	}
	checkLeaks(t, []leakCase{
		{"an ARP request on the way", scene{sent: 3000, lost: 30, ip: ipOut(3000), links: port(2971)}, "between v0.7 and v0"},
		{"too many to tell", scene{sent: 3000, lost: 30, ip: ipOut(3000), links: port(2980)}, record.NotKnown},
		{"as many as were lost", scene{sent: 3000, lost: 30, ip: ipOut(3000), links: port(3000)}, "after v0.7"},
		{"more than were sent", scene{sent: 3000, lost: 30, ip: ipOut(3000), links: port(3007)}, record.NotKnown},
		{"few lost", scene{sent: 3000, lost: 3, ip: ipOut(3000), links: port(2998)}, record.NotKnown},
		{"a report of membership", scene{sent: 3000, lost: 30, ip: ipOut(3001), links: port(2970)}, "between v0.7 and v0"},
		{"more vanish than are charged", scene{sent: 3000, lost: 30, ip: ipOut(3000), links: port(2900)}, record.NotKnown},
	})
}

func TestLeakOfAQdisc(t *testing.T) {
	root := record.QdiscState{Link: "v0", Kind: "htb", Handle: "1:0", Parent: "root"}
	child := record.QdiscState{Link: "v0", Kind: "sfq", Handle: "2:0", Parent: "1:10"}
	tree := func(tx uint64, change func(root, child *record.QdiscState)) scene {
		r, c := root, child
		change(&r, &c)
		return scene{sent: 3000, ip: ipOut(3000), links: []record.LinkState{via("veth", "v0", tx)}, qdiscs: []record.QdiscState{r, c}}
	}
	full := func(r, c *record.QdiscState) {
		r.Packets, r.QLen, r.Backlog, c.Packets, c.QLen, c.Backlog = 2872, 128, 128*78, 2872, 128, 128*78
	}
	kept := func(on string, backlog int64, bend func(*record.Trace)) scene {
		s := tree(2872, full)
		s.lost, s.bend = 128, bend
		s.rungs = []record.RungTrace{{Rung: record.RungQdisc, On: on, Backlog: backlog}}
		return s
	}
	with := func(s scene, lost int, change func(*scene)) scene {
		s.lost = lost
		change(&s)
		return s
	}
	same := func(*scene) {}
	checkLeaks(t, []leakCase{
		{"its end forgot what a child had", kept("sfq on v0", 128*78, nil), "qdisc sfq on v0"},
		{"the same, and nobody knows what a packet costs", kept("sfq on v0", 128*78, func(t *record.Trace) { t.Truesize = 0 }), "qdisc sfq on v0"},
		{"its end freed them", kept("sfq on v0", 128*78, func(t *record.Trace) { t.Rungs[0].Before *= 2 }), record.NotKnown},
		{"it had fewer", kept("sfq on v0", 127*78, nil), record.NotKnown},
		{"a packet's charge does not fit", kept("sfq on v0", 128*78, func(t *record.Trace) { t.Truesize = 830 }), record.NotKnown},
		{"a child dropped as many", with(tree(2970, func(r, c *record.QdiscState) {
			r.Packets, r.Drops, c.Packets, c.Drops = 2970, 30, 2970, 30
		}), 30, same), "qdisc sfq on v0"},
		{"the root dropped as many", with(tree(2970, func(r, c *record.QdiscState) { r.Packets, r.Drops, c.Packets = 2970, 30, 2970 }), 30, same), "qdisc htb on v0"},
		{"it dropped more", with(tree(2000, func(r, _ *record.QdiscState) { r.Packets, r.Drops = 2000, 1000 }), 30, same), record.NotKnown},
		{"as many vanished in it, or before it", with(tree(2970, func(r, _ *record.QdiscState) { r.Packets = 2970 }), 30, same), "between IP output and qdisc htb on v0"},
		{"the socket was told of each", with(tree(2970, func(r, _ *record.QdiscState) { r.Packets = 2970 }), 30, func(s *scene) { s.sent, s.refused = 2970, 30 }), "qdisc htb on v0"},
		{"the socket was told of more", with(tree(2970, func(r, _ *record.QdiscState) { r.Packets = 2970 }), 30, func(s *scene) { s.sent, s.refused = 2960, 40 }), "between IP output and qdisc htb on v0"},
		{"it dropped as many as the driver below it lost", with(tree(0, func(r, _ *record.QdiscState) { r.Packets, r.Drops = 1500, 1500 }), 1500, same), "driver of v0"},
		{"it dropped some, and the driver below it lost as many of the others", with(tree(2940, func(r, _ *record.QdiscState) { r.Packets, r.Drops = 2970, 30 }), 30, same), record.NotKnown},
		{"it dropped as many as came through", with(tree(1500, func(r, _ *record.QdiscState) { r.Packets, r.Drops = 1500, 1500 }), 1500, same), record.NotKnown},
		{"the driver below it", with(tree(2970, func(r, _ *record.QdiscState) { r.Packets = 3000 }), 30, same), "driver of v0"},
		{"two dropped as many", with(tree(2970, func(r, _ *record.QdiscState) { r.Packets, r.Drops = 2970, 30 }), 30, func(s *scene) {
			s.links = append(s.links, record.LinkState{Name: "w0", Kind: "veth", TxDropped: 30})
		}), record.NotKnown},
	})
}

// Without pictures there is no account, and no name.
func TestLeakWithoutAccount(t *testing.T) {
	s := scene{sent: 3000, lost: 30, ip: ipOut(3000), links: []record.LinkState{via("veth", "v0", 2970)}}
	tr := s.trace()
	if got := stages(tr); len(got) != 3 || got[2].Lost != 30 || got[2].In != 3000 {
		t.Errorf("stages = %+v", got)
	}
	if f := Judge(tr); f.HolderBy != byStages || !strings.Contains(f.Reason, "3000 sent, 3000 by IP output, 2970 by v0: 30 vanish between IP output and v0") {
		t.Errorf("by %q: %s", f.HolderBy, f.Reason)
	}
	tr.State = slices.DeleteFunc(tr.State, func(st record.State) bool { return st.When == "before" })
	if f := Judge(tr); f.Holder != record.NotKnown || f.HolderBy != "" || stages(tr) != nil {
		t.Errorf("holder %q by %q", f.Holder, f.HolderBy)
	}
}

func TestStagesAndLedger(t *testing.T) {
	led := func(place string) *record.Ledger {
		return places(record.LedgerPlace{Place: place, Count: 30, Charged: true})
	}
	single := scene{sent: 3000, lost: 30, ip: ipOut(3000), links: []record.LinkState{via("dummy", "d0", 3000)}}
	span := scene{sent: 3000, lost: 30, ip: ipOut(3000), links: []record.LinkState{via("vlan", "v0.7", 3000, "v0"), below("veth", "v0", 2970)}}
	unknown := scene{sent: 3000, lost: 30, ip: ipOut(3000), links: []record.LinkState{via("strange", "x0", 0)}}
	tests := []struct {
		name       string
		scene      scene
		ledger     *record.Ledger
		holder, by string
	}{
		{"none", single, nil, "driver of d0", byStages},
		{"incomplete", single, &record.Ledger{Incomplete: "x"}, "driver of d0", byStages},
		{"both", single, led("driver of d0"), "driver of d0", byStagesToo},
		{"differ", single, led("qdisc fq on d0"), "driver of d0 (stages) or qdisc fq on d0 (ledger)", byNeither},
		{"nearer", span, led("driver of v0"), "driver of v0", byStagesToo},
		{"nearer, at its upper end", span, led("driver of v0.7"), "driver of v0.7", byStagesToo},
		{"elsewhere", span, led("nfqueue 0"), "between v0.7 and v0 (stages) or nfqueue 0 (ledger)", byNeither},
		{"before it", span, led("the stack, before any device"), "between v0.7 and v0 (stages) or the stack, before any device (ledger)", byNeither},
		{"stages do not know", unknown, led("driver of x0"), "driver of x0", byLedger},
		{"nobody knows", unknown, nil, record.NotKnown, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.scene.ledger = tt.ledger
			if f := Judge(tt.scene.trace()); f.Holder != tt.holder || f.HolderBy != tt.by {
				t.Errorf("%q by %q, want %q by %q", f.Holder, f.HolderBy, tt.holder, tt.by)
			}
		})
	}
}
