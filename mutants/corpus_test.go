// SPDX-License-Identifier: GPL-2.0-only

package mutants_test

import (
	"slices"
	"strings"
	"testing"

	"skleak/mutants"
	"skleak/record"
	"skleak/scenarios"
)

func corpus(t *testing.T) []mutants.Mutant {
	t.Helper()
	all, err := mutants.Own()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachMutantMustBeFoundByTheCatalogue(t *testing.T) {
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range corpus(t) {
		found := false
		for i, f := range m.Found {
			if !slices.ContainsFunc(all, func(sc scenarios.Scenario) bool { return sc.Name == f.Scenario }) {
				t.Errorf("%s: the catalogue has no scenario %s", m.Name, f.Scenario)
			}
			if slices.ContainsFunc(m.Found[:i], func(o record.Found) bool { return o.Scenario == f.Scenario }) {
				t.Errorf("%s: %s is there twice", m.Name, f.Scenario)
			}
			found = found || f.Verdict != record.Clean
		}
		if !found {
			t.Errorf("%s: nothing must find it", m.Name)
		}
		if !strings.HasSuffix(strings.TrimSpace(m.About), ".") {
			t.Errorf("%s: about %q is no sentence", m.Name, m.About)
		}
	}
}

func TestCorpusIsSpread(t *testing.T) {
	all := corpus(t)
	if len(all) < 24 {
		t.Errorf("%d mutants", len(all))
	}
	modules, verdicts, parts := map[string]bool{}, map[record.Verdict]bool{}, map[string]int{}
	for _, m := range all {
		modules[m.Module] = true
		for _, f := range m.Found {
			verdicts[f.Verdict] = true
		}
		for _, part := range []string{"one-in-100", "one-in-10000", "multicast", "unicast", "oversize", "orphan", "truesize", "clone"} {
			if strings.Contains(m.Name, part) {
				parts[part]++
			}
		}
	}
	for _, module := range strings.Fields(`tun dummy veth macvlan ipvlan 8021q bridge bonding team vxlan geneve ip_gre wireguard
		e100 e1000 e1000e 8390 virtio_net sch_tbf sch_fq sch_netem sch_sfq sch_codel nfnetlink_queue vrf`) {
		if !modules[module] {
			t.Errorf("no mutant of %s", module)
		}
	}
	for _, v := range []record.Verdict{record.Underflow, record.Leaked, record.Orphaned, record.LostWakeup, record.Stalled, record.Held} {
		if !verdicts[v] {
			t.Errorf("no mutant is found as %s", v)
		}
	}
	if len(parts) != 8 {
		t.Errorf("only these faults: %v", parts)
	}
}

// Below a bridge, a bond and a VLAN the lower driver is the guilty one.
func TestBelowAnotherLink(t *testing.T) {
	holders := map[string]string{}
	for _, m := range corpus(t) {
		for _, f := range m.Found {
			if strings.HasSuffix(m.Name, "-below-one-in-100") && f.Verdict == record.Leaked {
				holders[f.Scenario] = f.Holder
			}
		}
	}
	for _, upper := range []string{"bridge", "bond", "vlan"} {
		for lower, want := range map[string]string{"veth": "driver of v0", "dummy": "driver of d0"} {
			if got := holders["stack/"+upper+"-over-"+lower]; got != want {
				t.Errorf("%s over %s: holder %q, want %q", upper, lower, got, want)
			}
		}
	}
}

// TestBugOf2012 keeps what the project began with.
func TestBugOf2012(t *testing.T) {
	all := corpus(t)
	i := slices.IndexFunc(all, func(m mutants.Mutant) bool { return m.Name == "tun-no-orphan" })
	if i < 0 {
		t.Fatal("no tun-no-orphan")
	}
	for _, want := range []record.Found{
		{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "reader of t0"},
		{Scenario: "tun/read", Verdict: record.Clean},
	} {
		if !slices.Contains(all[i].Found, want) {
			t.Errorf("%+v is not expected of it", want)
		}
	}
}
