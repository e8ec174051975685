// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"slices"
	"strings"
	"testing"

	"skleak/record"
	"skleak/scenarios"
)

// unresolved is a vxlan whose remote never answers ARP, over a veth.
func unresolved() scenarios.Scenario {
	far := common("v1")
	far.Netns = "far"
	return scene("x0",
		veth(common("v0", "10.9.9.1/24"), far),
		scenarios.Link{
			Common:  common("x0", "172.29.198.129/28"),
			Options: &scenarios.VxlanOptions{Parent: "v0", ID: 7, Remote: "10.9.9.2"},
		})
}

func TestNeighbourLetsGo(t *testing.T) {
	w := build(t, unresolved())
	snd := newSender(t, w.spaces[0], "x0")
	snd.send(50, false)
	if got := snd.charge(); got < 50*300 {
		t.Fatalf("%d bytes are charged, the neighbour should hold all", got)
	}
	steps, err := w.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"neighbour flushed: 10.9.9.2 on v0 (neighbour 10.9.9.2 on v0)",
		"link down: x0 (driver of x0)", "link deleted: x0 (driver of x0)",
		"lower link down: v0 (driver of v0)", "lower link deleted: v0 (driver of v0)",
	}
	if got := told(steps); !slices.Equal(got, want) {
		t.Errorf("steps\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if err := steps[0].Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, "charge gone with the neighbour", func() bool { return snd.charge() == 0 })
	climb(t, w)
}

// A permanent neighbour resolves, so nothing may be held, and no step flushes it.
func TestPermanentNeighbourIsLeft(t *testing.T) {
	s := unresolved()
	s.Links[0].Neighbours = []scenarios.Neighbour{{Address: "10.9.9.2", LLAddr: "02:00:00:00:00:02"}}
	w := build(t, s)
	snd := newSender(t, w.spaces[0], "x0")
	snd.send(50, false)
	within(t, "nothing charged", func() bool { return snd.charge() == 0 })
	for _, step := range climb(t, w) {
		if step.Rung == record.RungNeighbour {
			t.Errorf("a step flushes %s", step.On)
		}
	}
}

func TestReaderAndListenerSteps(t *testing.T) {
	near, far := common("v0", "10.9.9.1/24"), common("v1")
	far.Netns, far.PacketSocket = "far", scenarios.UnreadPacketSocket
	s := scene("v0", veth(near, far), scenarios.Link{Common: common("t0"), Options: &scenarios.TunOptions{}},
		scenarios.Link{Common: common("t1"), Options: &scenarios.TapOptions{TunOptions: scenarios.TunOptions{
			Reader: scenarios.Reader{Mode: scenarios.ReaderDrain}}}})
	s.Filters = []scenarios.Filter{{
		Hook: "output", Link: "v0", Action: "nfqueue", Queue: 7, Listener: &scenarios.Listener{Verdict: "none"},
	}}
	w := build(t, s)
	snd := newSender(t, w.spaces[0], "v0")
	snd.send(50, false)
	if got := snd.charge(); got < 50*300 {
		t.Fatalf("%d bytes are charged, the queue should hold all", got)
	}
	steps, err := w.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"reader drains: packet socket on v1 (packet socket on v1)", "reader drains: t0 (reader of t0)",
		"verdicts given: nfqueue 7 (nfqueue 7)", "listener closed: nfqueue 7 (nfqueue 7)",
		"filters flushed: rules of the sandbox (nfqueue 7)",
	}
	if got := told(steps); !slices.Equal(got[:len(want)], want) {
		t.Errorf("steps\n\t%s\nwant first\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, step := range steps[:3] {
		if err := step.Do(t.Context()); err != nil {
			t.Error(err)
		}
	}
	within(t, "charge gone with the verdicts", func() bool { return snd.charge() == 0 })
	climb(t, w)
}

// bare makes links as Build would, without a kernel.
func bare(via string, links ...*link) *World {
	return &World{via: strings.Fields(via), links: links}
}

func TestOrder(t *testing.T) {
	named := func(name, master string, lower ...string) *link {
		return &link{Common: scenarios.Common{Name: name, Master: master}, lower: lower}
	}
	pair := func(a, b *link) (*link, *link) { a.peer, b.peer = b, a; return a, b }
	v0, v1 := pair(named("v0", "bond0"), named("v1", ""))
	a0, a1 := pair(named("a0", ""), named("a1", ""))
	w := bare("v0 bond0.7", named("far", "", "v1"), named("bond0", ""), v0, v1, named("bond0.7", "", "bond0"), a0, a1)
	for _, c := range []struct {
		what, want string
		got        []*link
	}{
		{"nearness", "v0 bond0.7 bond0 v1 far a0 a1", w.stacking().Nearness()},
		{"upper", "bond0.7 bond0 v0", w.stacking().Upper()},
		{"lower", "far a0", w.stacking().Lower()},
	} {
		var names []string
		for _, lk := range c.got {
			names = append(names, lk.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
