// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/scenarios"
)

// build makes a World of s in the test's sandbox, or skips; it is closed, and
// nothing may be left, at the end of the test.
func build(t *testing.T, s scenarios.Scenario) *World {
	t.Helper()
	w := buildOrSkip(t, s)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error("close:", err)
		}
		if err := w.Close(); err != nil {
			t.Error("close again:", err)
		}
		if left := linksLeft(); len(left) > 0 {
			t.Error("left:", left)
		}
	})
	return w
}

func buildOrSkip(t *testing.T, s scenarios.Scenario) *World {
	t.Helper()
	if !testkit.Inside() {
		t.Skip("builds links in the namespace of the process: run as root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := Build(ctx, s, Options{})
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		if left := linksLeft(); len(left) > 0 {
			t.Error("left:", left)
		}
		if missing.Hint == "" {
			t.Errorf("%s: no hint", missing.Feature)
		}
		t.Skipf("%s; %s", missing, missing.Hint)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// climb takes every step of the ladder, and once more what can be taken twice.
func climb(t *testing.T, w *World) []Step {
	t.Helper()
	steps, err := w.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, s := range steps {
			if err := s.Do(t.Context()); err != nil {
				t.Errorf("%s %s: %v", s.Rung, s.On, err)
			}
		}
	}
	return steps
}

// told shows the steps as the ladder does.
func told(steps []Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, string(s.Rung)+": "+s.On+" ("+s.Holder+")")
	}
	return out
}

func common(name string, addresses ...string) scenarios.Common {
	return scenarios.Common{Name: name, Addresses: addresses}
}

func veth(near, far scenarios.Common) scenarios.Link {
	return scenarios.Link{Common: near, Options: &scenarios.VethOptions{Peer: far}}
}

func qdisc(o scenarios.QdiscOptions) *scenarios.Qdisc { return &scenarios.Qdisc{Options: o} }

func scene(via string, links ...scenarios.Link) scenarios.Scenario {
	return scenarios.Scenario{Name: "test/" + via, Links: links, Traffic: scenarios.Traffic{Via: []string{via}}}
}

func TestTbfOnVeth(t *testing.T) {
	near, far := common("v0", "172.29.198.129/28"), common("v1")
	near.MTU, near.MAC = 1400, "02:00:00:00:00:01"
	near.Qdisc = qdisc(&scenarios.TbfOptions{Rate: 8, Burst: 2000, Limit: 1 << 20})
	far.Netns = "far"
	w := build(t, scene("v0", veth(near, far)))
	info, ok := w.Link("v0")
	if !ok || info.MTU != 1400 || info.HardwareAddr.String() != near.MAC || info.Addresses[0].String() != near.Addresses[0] {
		t.Errorf("v0 is %+v, %v", info, ok)
	}
	if peer, ok := w.Link("v1"); !ok || peer.Netns != "far" || peer.Kind != "veth" {
		t.Errorf("v1 is %+v, %v", peer, ok)
	}
	snd := newSender(t, w.spaces[0], "v0")
	snd.send(300, false)
	// NB: the bucket begins with 2000 bytes, so some packets pass.
	if got := snd.charge(); got < 200*300 {
		t.Fatalf("%d bytes are charged, the tbf should hold nearly all", got)
	}
	checkHeldState(t, w)
	want := []string{
		"qdisc deleted: tbf on v0 (qdisc tbf on v0)",
		"link down: v0 (driver of v0)", "link deleted: v0 (driver of v0)",
	}
	steps, err := w.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := told(steps); !slices.Equal(got, want) {
		t.Errorf("steps\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if steps[0].Backlog == 0 {
		t.Error("the tbf's step tells no backlog")
	}
	if err := steps[0].Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, "charge gone with the qdisc", func() bool { return snd.charge() == 0 })
	snd.close()
	climb(t, w)
}

func checkHeldState(t *testing.T, w *World) {
	t.Helper()
	st, err := w.State("held")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(st.Qdiscs, func(q record.QdiscState) bool {
		return q.Link == "v0" && q.Kind == "tbf" && q.Backlog > 0 && q.QLen > 200
	}) {
		t.Errorf("no full tbf among %+v", st.Qdiscs)
	}
	if !slices.ContainsFunc(st.Links, func(l record.LinkState) bool {
		return l.Name == "v0" && l.Carrier && l.Kind == "veth" && l.MTU == 1400 && l.OperState == "up"
	}) {
		t.Errorf("no running v0 among %+v", st.Links)
	}
	if !slices.ContainsFunc(st.Links, func(l record.LinkState) bool { return l.Netns == "far" && l.Name == "v1" }) {
		t.Errorf("no v1 in far among %+v", st.Links)
	}
	// protocol 255 (IPPROTO_RAW) is the port of an IP_HDRINCL socket.
	if !slices.ContainsFunc(st.ProcNetRaw, func(line string) bool { return strings.Contains(line, ":00FF ") }) {
		t.Errorf("no raw socket of ours in %q", st.ProcNetRaw)
	}
}

func TestDisturbedFromOutside(t *testing.T) {
	w := build(t, scenarios.Scenario{Name: "test/disturbed", Links: []scenarios.Link{
		{Common: scenarios.Common{Name: "d0"}, Options: &scenarios.DummyOptions{}},
		{Common: scenarios.Common{Name: "d1"}, Options: &scenarios.DummyOptions{}},
	}})
	if err := w.Undisturbed(); err != nil {
		t.Fatal(err)
	}
	lk := w.find("", "d1")
	l, err := lk.space.nl.LinkByIndex(lk.index)
	if err != nil {
		t.Fatal(err)
	}
	if err := lk.space.nl.LinkDel(l); err != nil {
		t.Fatal(err)
	}
	if err := w.Undisturbed(); !errors.Is(err, ErrDisturbed) || !strings.Contains(err.Error(), "d1") || strings.Contains(err.Error(), "d0") {
		t.Errorf("%v, want that d1 is gone", err)
	}
}
