// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/record/kerneltest"
	"skleak/scenarios"
)

// over is a link upon v0, for the kinds that need a parent.
func over(name string, o scenarios.LinkOptions) []scenarios.Link {
	return []scenarios.Link{
		veth(common("v0", "10.9.9.1/24"), common("v1")),
		{Common: common(name, "172.29.198.129/28"), Options: o},
	}
}

func alone(name string, o scenarios.LinkOptions) []scenarios.Link {
	return []scenarios.Link{{Common: common(name, "172.29.198.129/28"), Options: o}}
}

// master is a link with the port v0.
func master(name string, o scenarios.LinkOptions) []scenarios.Link {
	port := common("v0")
	port.Master = name
	return []scenarios.Link{{Common: common(name, "172.29.198.129/28"), Options: o}, veth(port, common("v1"))}
}

// fromCatalogue is the links of the first scenario with a link of the kind, which
// is called x0 then.
func fromCatalogue(t *testing.T, kind string) []scenarios.Link {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		for i, l := range sc.Links {
			if l.Kind() == kind {
				sc.Links[i].Name = "x0"
				return sc.Links
			}
		}
	}
	t.Fatalf("no scenario has a link of kind %s", kind)
	return nil
}

func TestEveryKind(t *testing.T) {
	// The others are built as the catalogue has them.
	kinds := map[string][]scenarios.Link{
		"tun":       alone("x0", &scenarios.TunOptions{}),
		"tap":       alone("x0", &scenarios.TapOptions{}),
		"iodine":    alone("x0", &scenarios.IodineOptions{}),
		"veth":      {veth(common("x0"), common("x1"))},
		"dummy":     alone("x0", &scenarios.DummyOptions{}),
		"ifb":       alone("x0", &scenarios.IfbOptions{}),
		"nlmon":     alone("x0", &scenarios.NlmonOptions{}),
		"bridge":    master("x0", &scenarios.BridgeOptions{}),
		"vlan":      over("x0", &scenarios.VlanOptions{Parent: "v0", ID: 7}),
		"macvlan":   over("x0", &scenarios.MacvlanOptions{Parent: "v0"}),
		"macvtap":   over("x0", &scenarios.MacvtapOptions{MacvlanOptions: scenarios.MacvlanOptions{Parent: "v0", Mode: "vepa"}}),
		"ipvlan":    over("x0", &scenarios.IpvlanOptions{Parent: "v0"}),
		"bond":      master("x0", &scenarios.BondOptions{}),
		"team":      master("x0", &scenarios.TeamOptions{Mode: "broadcast", Disabled: []string{"v0"}}),
		"vxlan":     over("x0", &scenarios.VxlanOptions{Parent: "v0", ID: 7, Remote: "10.9.9.2", Local: "10.9.9.1"}),
		"geneve":    over("x0", &scenarios.GeneveOptions{Parent: "v0", ID: 7, Remote: "10.9.9.2"}),
		"gre":       over("x0", &scenarios.GreOptions{Parent: "v0", Local: "10.9.9.1", Remote: "10.9.9.2"}),
		"gretap":    over("x0", &scenarios.GretapOptions{GreOptions: scenarios.GreOptions{Parent: "v0", Local: "10.9.9.1", Remote: "10.9.9.2"}}),
		"ipip":      over("x0", &scenarios.IpipOptions{GreOptions: scenarios.GreOptions{Parent: "v0", Local: "10.9.9.1", Remote: "10.9.9.2"}}),
		"wireguard": over("x0", &scenarios.WireguardOptions{Parent: "v0", Endpoint: "10.9.9.2:51820"}),
		"vrf":       master("x0", &scenarios.VrfOptions{Table: 7}),
		"macsec":    over("x0", &scenarios.MacsecOptions{Parent: "v0"}),
		"xfrm":      over("x0", &scenarios.XfrmOptions{Parent: "v0", ID: 7}),
		"nic":       alone("x0", &scenarios.NicOptions{Model: "i82559er"}),
	}
	for _, kind := range scenarios.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			links, ok := kinds[kind.Name]
			if !ok {
				links = fromCatalogue(t, kind.Name)
			}
			defer truthful(t, kind)
			w := build(t, scene("x0", links...))
			info, ok := w.Link("x0")
			if !ok || info.Kind != kind.Name || info.Index == 0 {
				t.Errorf("x0 is %+v, %v", info, ok)
			}
			newSender(t, w.spaces[0], "x0").send(5, false)
			st, err := w.State("held")
			if err != nil {
				t.Error(err)
			}
			if len(st.Links) < 2 {
				t.Errorf("only %d links in the picture", len(st.Links))
			}
			steps := told(climb(t, w))
			if !slices.Contains(steps, "link deleted: x0 (driver of x0)") {
				t.Errorf("no step deletes x0:\n\t%s", strings.Join(steps, "\n\t"))
			}
			if _, ok := w.Link("x0"); ok {
				t.Error("x0 is there after the last step")
			}
		})
	}
}

// truthful fails a skip of what this kernel is built with, and a run of what it
// is not: either would hide a fault in how a lack is found.
func truthful(t *testing.T, kind scenarios.Kind) {
	option := strings.TrimPrefix(kind.Config[0], "CONFIG_")
	has, known := kerneltest.Has(t, option)
	// A card is there in a guest alone, a program may not be installed, and a mode
	// or cipher may be missing by itself. A module may not be installed either.
	if !known || kind.Name == "nic" || len(kind.Programs) > 0 || len(kind.Uses) > 0 || !testkit.Inside() {
		return
	}
	if modules, _ := loadableModules(); has && len(modules) > 0 && len(kind.Modules) > 0 && !slices.Contains(modules, kind.Modules[0]) {
		if _, err := os.Stat("/sys/module/" + kind.Modules[0]); err != nil {
			return
		}
	}
	if t.Skipped() == has {
		t.Errorf("skipped: %v, but this kernel is built with %s: %v", t.Skipped(), kind.Config, has)
	}
}

func TestEveryQdisc(t *testing.T) {
	kinds := map[string]scenarios.QdiscOptions{
		"plug":     &scenarios.PlugOptions{Limit: 1 << 20},
		"tbf":      &scenarios.TbfOptions{Rate: 8, Burst: 1600},
		"htb":      &scenarios.HtbOptions{Rate: 8, Burst: 1600},
		"netem":    &scenarios.NetemOptions{Delay: 10 * time.Minute, Jitter: time.Second, Loss: 1, Rate: 1000, Limit: 500},
		"fq":       &scenarios.FqOptions{Limit: 500, MaxRate: 1000},
		"fq_codel": &scenarios.FqCodelOptions{Limit: 500},
		"pfifo":    &scenarios.PfifoOptions{Limit: 500},
		"prio":     &scenarios.PrioOptions{},
		"sfq":      &scenarios.SfqOptions{Limit: 100},
		"codel":    &scenarios.CodelOptions{Limit: 500},
		"cake":     &scenarios.CakeOptions{Rate: 8, Limit: 1 << 20},
	}
	for _, kind := range scenarios.QdiscKinds() {
		t.Run(kind.Name, func(t *testing.T) {
			o, ok := kinds[kind.Name]
			if !ok {
				t.Fatal("a kind without a test: add it to the table above")
			}
			defer truthful(t, kind)
			near := common("v0")
			near.Qdisc = qdisc(o)
			w := build(t, scene("v0", veth(near, common("v1"))))
			qs, err := w.spaces[0].qdiscs(w.find("", "v0").index)
			if err != nil || len(qs) != 1 || qs[0].Type() != kind.Name || qs[0].Attrs().Handle == 0 {
				t.Fatalf("qdiscs of v0 are %v, %v", qs, err)
			}
			snd := newSender(t, w.spaces[0], "v0")
			snd.send(100, false)
			t.Logf("%d bytes charged for 100 packets", snd.charge())
			if kind.Holds != (snd.charge() > 50*300) {
				t.Errorf("%d bytes are charged; holds: %v", snd.charge(), kind.Holds)
			}
			steps, err := w.Steps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if steps[0].Holder != "qdisc "+kind.Name+" on v0" {
				t.Fatalf("the first step is %+v", steps[0])
			}
			if err := steps[0].Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			within(t, "charge gone with the qdisc", func() bool { return snd.charge() == 0 })
			if qs, err = w.spaces[0].qdiscs(w.find("", "v0").index); err != nil || len(qs) != 1 || qs[0].Type() != "noqueue" {
				t.Errorf("after the step the qdiscs of v0 are %v, %v", qs, err)
			}
			climb(t, w)
		})
	}
}

// The default qdisc cannot be deleted; its step must purge it all the same.
func TestDefaultQdiscIsPurged(t *testing.T) {
	w := build(t, scene("x0", alone("x0", &scenarios.TapOptions{})...))
	steps, err := w.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(steps, func(s Step) bool { return s.Rung == record.RungQdisc })
	if i < 0 || !strings.HasSuffix(steps[i].On, " on x0") || strings.HasPrefix(steps[i].On, "noqueue") {
		t.Fatalf("no step for the default qdisc of a tap: %v", told(steps))
	}
	if err := steps[i].Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	qs, err := w.spaces[0].qdiscs(w.find("", "x0").index)
	if err != nil || len(qs) != 1 || qs[0].Type() != "pfifo" {
		t.Errorf("qdiscs of x0 are %v, %v", qs, err)
	}
}

func TestLeafOfHtb(t *testing.T) {
	defer truthful(t, scenarios.QdiscKind("htb"))
	near := common("v0")
	near.Qdisc = qdisc(&scenarios.HtbOptions{Rate: 8, Burst: 256, Leaf: qdisc(&scenarios.PfifoOptions{Limit: 10})})
	w := build(t, scene("v0", veth(near, common("v1"))))
	snd := newSender(t, w.spaces[0], "v0")
	snd.send(100, false)
	if got := snd.charge(); got < 10*300 || got > 20*1000 {
		t.Errorf("%d bytes are charged with room for 10 packets", got)
	}
	climb(t, w)
}
