// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"slices"
	"testing"

	"skleak/record"
	"skleak/scenarios"
)

// picture takes the counters of w.
func picture(t *testing.T, w *World) record.State {
	t.Helper()
	st, err := w.Counters("before")
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// ipSent is what IPv4 of the sandbox's own namespace sent: by OutTransmits where
// the kernel has it, else by OutRequests.
func ipSent(st record.State) uint64 {
	c := st.IP[0].Counters
	if n, ok := c["OutTransmits"]; ok {
		return n
	}
	return c["OutRequests"]
}

func linkOf(t *testing.T, st record.State, netns, name string) record.LinkState {
	t.Helper()
	i := slices.IndexFunc(st.Links, func(l record.LinkState) bool { return l.Netns == netns && l.Name == name })
	if i < 0 {
		t.Fatalf("no %s in %q among %+v", name, netns, st.Links)
	}
	return st.Links[i]
}

// Each stage counts every packet, from the NFQUEUE to the far end.
func TestCountersOfTheWay(t *testing.T) {
	const sent, kept = 100, 50
	near, far := common("v0", "10.9.9.1/24"), common("v1")
	near.Qdisc, far.Netns = qdisc(&scenarios.TbfOptions{Rate: 8, Burst: 2000, Limit: 1 << 20}), "far"
	s := scene("v0", veth(near, far))
	s.Filters = []scenarios.Filter{{
		Hook: "output", Link: "v0", Action: "nfqueue", Queue: 7,
		Listener: &scenarios.Listener{Verdict: "accept", Keep: []int{kept}},
	}}
	w := build(t, s)
	before := picture(t, w)
	snd := newSender(t, w.spaces[0], "v0")
	snd.send(sent, false)
	q := w.filters[0].queues()[0]
	within(t, "all packets judged", func() bool { st := q.state(""); return st.Accepted == sent-1 })
	after := picture(t, w)

	if got := ipSent(after) - ipSent(before); got != sent-1 {
		t.Errorf("IP sent %d, want %d: one waits in the NFQUEUE", got, sent-1)
	}
	queued := after.Queues[0]
	if queued.Number != 7 || queued.Sequence != sent || queued.Waiting != 1 || queued.Seen != sent ||
		queued.Withheld != 1 || queued.Dropped != 0 || !slices.Equal(queued.Hooks, []string{"output"}) {
		t.Errorf("NFQUEUE %+v", queued)
	}
	i := slices.IndexFunc(after.Qdiscs, func(q record.QdiscState) bool { return q.Kind == "tbf" })
	if i < 0 {
		t.Fatalf("no tbf among %+v", after.Qdiscs)
	}
	tbf := after.Qdiscs[i]
	if tbf.Packets+tbf.QLen != sent-1 || tbf.Bytes == 0 || tbf.Overlimits == 0 || tbf.Drops != 0 {
		t.Errorf("tbf %+v", tbf)
	}
	v0, v1 := linkOf(t, after, "", "v0"), linkOf(t, after, "far", "v1")
	if n := v0.TxPackets - linkOf(t, before, "", "v0").TxPackets; n != uint64(tbf.Packets) || n != v1.RxPackets {
		t.Errorf("v0 sent %d, v1 took %d, the tbf gave out %d", n, v1.RxPackets, tbf.Packets)
	}
	if !v0.Via || v1.Via || v0.Peer != "v1" || v0.PeerNetns != "far" || v1.Peer != "v0" || v1.PeerNetns != "" {
		t.Errorf("v0 %+v\nv1 %+v", v0, v1)
	}
	if err := q.giveVerdicts(); err != nil {
		t.Fatal(err)
	}
	within(t, "the one is through", func() bool { return ipSent(picture(t, w))-ipSent(before) == sent })
}

// Links know what they are built upon.
func TestLowerLinks(t *testing.T) {
	port := common("v0")
	port.Master = "br0"
	w := build(t, scene("br0",
		scenarios.Link{Common: common("br0", "10.9.9.1/24"), Options: &scenarios.BridgeOptions{}},
		veth(port, common("v1"))))
	st := picture(t, w)
	if br := linkOf(t, st, "", "br0"); !br.Via || !slices.Equal(br.Lower, []string{"v0"}) {
		t.Errorf("br0 %+v", br)
	}
}

// The step is called by the qdisc in which the packets are.
func TestFullChildIsNamed(t *testing.T) {
	near, far := common("v0", "10.9.9.1/24"), common("v1")
	far.Netns = "far"
	near.Qdisc = qdisc(&scenarios.HtbOptions{Rate: 8, Burst: 2000, Leaf: qdisc(&scenarios.PfifoOptions{Limit: 1000})})
	w := build(t, scene("v0", veth(near, far)))
	named := func() string {
		steps, err := w.Steps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return steps[0].Holder
	}
	if got := named(); got != "qdisc htb on v0" {
		t.Errorf("empty, the holder is %q", got)
	}
	snd := newSender(t, w.spaces[0], "v0")
	snd.send(300, false)
	if got := named(); got != "qdisc pfifo on v0" {
		t.Errorf("full, the holder is %q", got)
	}
	climb(t, w)
}

func TestNamedCounters(t *testing.T) {
	const text = "Icmp: InMsgs OutMsgs\nIcmp: 7 8\nIp: Forwarding OutRequests OutDiscards\nIp: 2 19697 0\n"
	if got := namedCounters(text, "Ip:"); len(got) != 2 || got["OutRequests"] != 19697 {
		t.Errorf("counters %v", got)
	}
	if got := namedCounters("Ip: OutRequests OutTransmits\nIp: 0 0\n", "Ip:"); len(got) != 1 {
		t.Errorf("of a kernel with OutTransmits %v", got)
	}
	if got := namedCounters("Ip: A B C\nIp: 1\n", "Ip:"); len(got) != 1 {
		t.Errorf("of a cut line %v", got)
	}
	if got := namedCounters("", "Ip:"); got == nil || len(got) != 0 {
		t.Errorf("of nothing %v", got)
	}
}
