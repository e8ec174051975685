// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/internal/testkit"
	"skleak/netns"
	"skleak/record"
	"skleak/record/kerneltest"
	"skleak/scenarios"
)

// Links that are built as a scenario says come back as the same scenario.
func TestWhatIsBuiltIsSaid(t *testing.T) {
	testkit.Root(t, "makes links")
	const veth = "{name: v0, kind: veth, address: 10.9.9.1/24, peer: {name: v1}"
	for _, c := range []struct {
		name, yaml string
		// options are what the kernel needs, without CONFIG_.
		options []string
	}{
		{"tbf", "links: [" + veth + ", qdisc: {kind: tbf, rate: 8bit, burst: 256, limit: 64MB}}]", []string{"NET_SCH_TBF"}},
		{"fast tbf", "links: [" + veth + ", qdisc: {kind: tbf, rate: 1gbit, burst: 64kb, limit: 1MB}}]", []string{"NET_SCH_TBF"}},
		{"htb", "links: [" + veth + ", qdisc: {kind: htb, rate: 1mbit, burst: 10kb, leaf: {kind: pfifo, limit: 7}}}]", []string{"NET_SCH_HTB"}},
		{"netem", "links: [" + veth + ", qdisc: {kind: netem, delay: 20ms, jitter: 3ms, loss: 12.5, rate: 100kbit, limit: 77}}]", []string{"NET_SCH_NETEM"}},
		{"fq", "links: [" + veth + ", qdisc: {kind: fq, limit: 99, maxrate: 80kbit}}]", []string{"NET_SCH_FQ"}},
		{"fq_codel", "links: [" + veth + ", qdisc: {kind: fq_codel, limit: 99}}]", []string{"NET_SCH_FQ_CODEL"}},
		{"pfifo", "links: [" + veth + ", qdisc: {kind: pfifo, limit: 99}}]", nil},
		{"sfq", "links: [" + veth + ", qdisc: {kind: sfq, limit: 99}}]", []string{"NET_SCH_SFQ"}},
		{"codel", "links: [" + veth + ", qdisc: {kind: codel, limit: 99}}]", []string{"NET_SCH_CODEL"}},
		{"cake", "links: [" + veth + ", qdisc: {kind: cake, rate: 10mbit, limit: 4000000}}]", []string{"NET_SCH_CAKE"}},
		{"prio", "links: [" + veth + ", qdisc: {kind: prio}}]", []string{"NET_SCH_PRIO"}},
		{"plug", "links: [" + veth + ", qdisc: {kind: plug}}]", []string{"NET_SCH_PLUG"}},
		{"mtu, addresses and a neighbour", `links: [{name: v0, kind: veth, address: [10.9.9.1/24, 10.8.8.1/30], mtu: 1400, txqueuelen: 7,
      neighbours: [{address: 10.9.9.2, lladdr: "02:00:00:00:00:02"}], peer: {name: v1, mtu: 9000}}]`, nil},
		{"tun", "links: [{name: v0, kind: tun, address: 10.9.9.1/28}]", []string{"TUN"}},
		{"bridge", "links: [{name: v0, kind: bridge, address: 10.9.9.1/24}, {name: p0, kind: veth, master: v0, peer: {name: p1}}]", []string{"BRIDGE"}},
		{"vlan", "links: [{name: p0, kind: veth, peer: {name: p1}}, {name: v0, kind: vlan, parent: p0, id: 7, address: 10.9.9.1/24}]", []string{"VLAN_8021Q"}},
		{"macvlan", "links: [{name: p0, kind: veth, peer: {name: p1}}, {name: v0, kind: macvlan, parent: p0, mode: vepa, address: 10.9.9.1/24}]", []string{"MACVLAN"}},
		{"vxlan", "links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: vxlan, parent: p0, id: 9, remote: 10.7.7.2, address: 10.9.9.1/24}]", []string{"VXLAN"}},
		{"gre over a route", `links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: gre, local: 10.7.7.1, remote: 198.51.100.7, address: 10.9.9.1/24}]
    routes: [{to: 198.51.100.0/24, via: 10.7.7.2, link: p0}]`, []string{"NET_IPGRE"}},
		{"tap", "links: [{name: v0, kind: tap, address: 10.9.9.1/28}]", []string{"TUN"}},
		{"dummy", "links: [{name: v0, kind: dummy, address: 10.9.9.1/28}]", []string{"DUMMY"}},
		{"bond", "links: [{name: v0, kind: bond, mode: balance-rr, address: 10.9.9.1/24}, {name: p0, kind: veth, master: v0, peer: {name: p1}}]", []string{"BONDING"}},
		{"vrf", "links: [{name: v0, kind: veth, master: r0, address: 10.9.9.1/24, peer: {name: v1}}, {name: r0, kind: vrf, table: 77}]", []string{"NET_VRF"}},
		{"macvtap", "links: [{name: p0, kind: veth, peer: {name: p1}}, {name: v0, kind: macvtap, parent: p0, mode: private, reader: {mode: drain}, address: 10.9.9.1/24}]", []string{"MACVTAP"}},
		{"ipvlan", "links: [{name: p0, kind: veth, peer: {name: p1}}, {name: v0, kind: ipvlan, parent: p0, mode: l3s, address: 10.9.9.1/24}]", []string{"IPVLAN"}},
		{"geneve", "links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: geneve, id: 9, remote: 10.7.7.2, address: 10.9.9.1/24}]", []string{"GENEVE"}},
		{"gretap", "links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: gretap, parent: p0, local: 10.7.7.1, remote: 10.7.7.2, address: 10.9.9.1/24}]", []string{"NET_IPGRE"}},
		{"ipip", "links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: ipip, local: 10.7.7.1, remote: 10.7.7.2, address: 10.9.9.1/24}]", []string{"NET_IPIP"}},
		{"wireguard", "links: [{name: p0, kind: veth, address: 10.7.7.1/24, peer: {name: p1}}, {name: v0, kind: wireguard, endpoint: '10.7.7.2:51820', address: 10.9.9.1/24}]", []string{"WIREGUARD"}},
		{"macsec", "links: [{name: p0, kind: veth, peer: {name: p1}}, {name: v0, kind: macsec, parent: p0, address: 10.9.9.1/24}]", []string{"MACSEC"}},
		{"drop", "links: [" + veth + "}]\n    filters: [{hook: output, link: v0, action: drop}, {hook: postrouting, action: drop}]", []string{"NF_TABLES"}},
		{"nfqueue", "links: [" + veth + "}]\n    filters: [{hook: output, link: v0, action: nfqueue, queue: 3, listener: {verdict: accept}}]", []string{"NETFILTER_NETLINK_QUEUE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := decode(t, c.yaml)
			world, err := netns.Build(t.Context(), want, netns.Options{})
			var missing *record.UnsupportedError
			if errors.As(err, &missing) {
				kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "5.10", Options: c.options}, err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := world.Close(); err != nil {
					t.Error(err)
				}
			})
			s := Make(read(t), []string{"v0"})
			readsBack(t, s)
			if len(s.Scenarios) != 1 {
				t.Fatalf("no scenario: %q", s.Left)
			}
			if diff := cmp.Diff(bare(want), bare(s.Scenarios[0])); diff != "" {
				t.Errorf("(-built +said)\n%s\n%s", diff, strings.Join(s.Remarks, "\n"))
			}
		})
	}
}

func decode(t *testing.T, yaml string) scenarios.Scenario {
	t.Helper()
	list, err := scenarios.Decode("mine.yaml", strings.NewReader("scenarios:\n  - name: snapshot/v0\n    expect: clean\n    traffic: {via: v0}\n    "+yaml))
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func read(t *testing.T) (f Facts) {
	t.Helper()
	if err := netns.In("", func() (err error) {
		f, err = Read()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

// bareLink is what a link must keep; the kernel chose its hardware address.
type bareLink struct {
	Common  scenarios.Common
	Kind    string
	Options scenarios.LinkOptions
}

// bare is what both scenarios must have, whatever their order.
func bare(sc scenarios.Scenario) any {
	links := map[string]bareLink{}
	for _, l := range sc.Links {
		l.MAC = ""
		switch o := l.Options.(type) {
		case *scenarios.VethOptions:
			clone := *o
			clone.Peer.MAC = ""
			l.Options = &clone
		case *scenarios.TunOptions:
			// An unread TUN into which nothing was sent cannot be told.
			l.Options = &scenarios.TunOptions{Queues: o.Queues}
		case *scenarios.TapOptions:
			l.Options = &scenarios.TunOptions{Queues: o.Queues}
		}
		if slices.Contains(tunnels(), l.Kind()) {
			// Their mtu is what the kernel made of the link's below.
			l.MTU = 0
		}
		links[l.Name] = bareLink{l.Common, l.Kind(), l.Options}
	}
	return map[string]any{"links": links, "routes": sc.Routes, "filters": sc.Filters}
}

// What no scenario has is told, and the rest stays as it is.
func TestRulesForSomePacketsOnlyAreNotSaid(t *testing.T) {
	testkit.Root(t, "makes links")
	world, err := netns.Build(t.Context(), decode(t, "links: [{name: v0, kind: veth, address: 10.9.9.1/24, peer: {name: v1}}]"), netns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	flush := addRules(t)
	t.Cleanup(flush)
	f := read(t)
	want := []Rule{
		{Where: "table ip test, chain out", Hook: "output", Action: "drop", Unless: "only some packets, by what it compares"},
		{Where: "table ip test, chain out", Hook: "output", Link: "v0", Action: "drop"},
		{Where: "table ip test, chain out", Hook: "output", Action: "drop", Unless: "only packets that no rule before it takes"},
	}
	if diff := cmp.Diff(want, f.Rules); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s := Make(f, nil)
	if got := s.Scenarios[0].Filters; len(got) != 1 || got[0].Link != "v0" {
		t.Errorf("filters %+v, want that about all of v0", got)
	}
	if len(s.Remarks) != 2 {
		t.Errorf("remarks %q, want one for each of the others", s.Remarks)
	}
}
