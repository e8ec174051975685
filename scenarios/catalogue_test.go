// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

func catalogue(t testing.TB) []Scenario {
	t.Helper()
	all, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCatalogueHasEveryKindInItsOrdinaryState(t *testing.T) {
	ordinary := map[string]bool{}
	held := map[string]bool{}
	names := map[string]bool{}
	for _, s := range catalogue(t) {
		if s.About == "" || !strings.HasSuffix(s.About, ".") {
			t.Errorf("%s: about %q is no sentence", s.Name, s.About)
		}
		if names[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		names[s.Name] = true
		for _, e := range ends(s.Links) {
			into := held
			if slices.Contains(s.Expect, record.Clean) {
				into = ordinary
			}
			into[s.Links[e.link].Kind()] = true
			if e.common.Qdisc != nil {
				for _, kind := range e.common.Qdisc.Kinds() {
					into["qdisc "+kind] = true
				}
			}
		}
	}
	for _, k := range Kinds() {
		if !ordinary[k.Name] {
			t.Errorf("no clean scenario has a %s", k.Name)
		}
	}
	for _, k := range QdiscKinds() {
		if !ordinary["qdisc "+k.Name] && !held["qdisc "+k.Name] {
			t.Errorf("no scenario has a %s", k.Name)
		}
	}
	for _, kind := range strings.Fields("vlan macvlan macvtap ipvlan bridge bond team vxlan geneve gre gretap ipip macsec vrf") {
		if !names["stack/"+kind+"-over-plug"] {
			t.Errorf("no scenario stack/%s-over-plug", kind)
		}
	}
}

func TestCatalogueSendsEveryPacketAndSocket(t *testing.T) {
	seen := map[string]bool{}
	controls := map[ControlKind]int{}
	for _, s := range catalogue(t) {
		seen[s.Traffic.Packet], seen[s.Traffic.Socket] = true, true
		controls[s.Control]++
	}
	for _, name := range append(Packets(), Sockets()...) {
		if !seen[name] {
			t.Errorf("nothing sends %s", name)
		}
	}
	if controls[ControlMustHold] != 3 || controls[ControlMustNot] != 1 {
		t.Errorf("controls %v", controls)
	}
}

func TestCatalogueRoundTrip(t *testing.T) {
	all := catalogue(t)
	var file bytes.Buffer
	if err := Encode(&file, all); err != nil {
		t.Fatal(err)
	}
	back, err := Decode("all", &file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all, back); d != "" {
		t.Error(d)
	}
}

func TestBrokenCatalogueNamesItsFile(t *testing.T) {
	files := fstest.MapFS{"catalogue/bad.yaml": {Data: []byte("scenarios: {}")}}
	_, err := readCatalogue(files)
	if err == nil || !strings.Contains(err.Error(), "bad.yaml:1:") {
		t.Errorf("error %v", err)
	}
}

// What accepts everything tells nothing: two verdicts are for what a moment
// decides, and a sender that falls silent is no such thing.
func TestCatalogueExpectsLittle(t *testing.T) {
	lists := map[string]bool{"clean or refused": true, "clean or held": true}
	for _, s := range catalogue(t) {
		if all := record.JoinVerdicts(s.Expect); len(s.Expect) > 1 && !lists[all] {
			t.Errorf("%s: %s; split it by what decides", s.Name, all)
		}
		if len(s.Expect) > 1 && s.Control != NotControl {
			t.Errorf("%s: a control with more than one verdict", s.Name)
		}
	}
}
