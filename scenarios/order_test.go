// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"slices"
	"strings"
	"testing"
)

func TestBuildOrder(t *testing.T) {
	dummy := func(name, netns, master string) Link {
		return Link{Common: Common{Name: name, Netns: netns, Master: master}, Options: &DummyOptions{}}
	}
	vlan := func(name, parent string) Link {
		return Link{Common: Common{Name: name}, Options: &VlanOptions{Parent: parent, ID: 7}}
	}
	bridge := func(name, netns string) Link {
		return Link{Common: Common{Name: name, Netns: netns}, Options: &BridgeOptions{}}
	}
	pair := func(name string, peer Common) Link {
		return Link{Common: Common{Name: name}, Options: &VethOptions{Peer: peer}}
	}
	tests := []struct {
		name, want, err string
		links           []Link
	}{
		{name: "as listed", links: []Link{dummy("b", "", ""), dummy("a", "", "")}, want: "b a"},
		{name: "parent later", links: []Link{vlan("v", "a"), dummy("b", "", ""), dummy("a", "", "")}, want: "a v b"},
		{name: "master later", links: []Link{dummy("a", "", "br"), bridge("br", "")}, want: "br a"},
		{name: "chain", links: []Link{vlan("c", "b"), vlan("b", "a"), dummy("a", "", "")}, want: "a b c"},
		{name: "peer's master", links: []Link{pair("v0", Common{Name: "v1", Netns: "far", Master: "br"}), bridge("br", "far")}, want: "br v0"},
		{name: "parent is a peer", links: []Link{vlan("x", "v1"), pair("v0", Common{Name: "v1"})}, want: "v0 x"},
		{name: "other namespace", links: []Link{dummy("a", "", "br"), bridge("br", "far")}, err: `links[0].master: no link "br" in the sandbox's own namespace`},
		{name: "missing", links: []Link{vlan("v", "a")}, err: `no link "a"`},
		{name: "cycle", links: []Link{vlan("a", "c"), vlan("b", "a"), vlan("c", "b")}, err: "are built upon each other"},
		{name: "cycle by the peer", links: []Link{pair("v0", Common{Name: "v1", Master: "v0"})}, err: "links[0].peer.master: v0 and v0 are"},
	}
	for _, tc := range tests {
		before := slices.Clone(tc.links)
		got, err := BuildOrder(tc.links)
		var names []string
		for _, l := range got {
			names = append(names, l.Name)
		}
		if strings.Join(names, " ") != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%s: %v, %v", tc.name, names, err)
		}
		for i := range before {
			if before[i].Name != tc.links[i].Name {
				t.Errorf("%s: the caller's list changed", tc.name)
			}
		}
	}
}

func TestKindsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range append(Kinds(), QdiscKinds()...) {
		if seen[k.Name] || k.About == "" || len(k.Config) == 0 || !strings.HasPrefix(k.Config[0], "CONFIG_") {
			t.Errorf("%+v", k)
		}
		seen[k.Name] = true
	}
	for _, k := range linkKinds() {
		if got := k.options().Kind(); got != k.Name {
			t.Errorf("%s makes options of %s", k.Name, got)
		}
	}
	for _, k := range qdiscKinds() {
		if got := k.options().Kind(); got != k.Name {
			t.Errorf("%s makes options of %s", k.Name, got)
		}
	}
}

func TestNoLinkSaysWhereItIs(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"- {name: br0, kind: bridge, netns: far}\n      - {name: v0, kind: veth, master: br0, peer: {name: v1}}", "the one in namespace far cannot be reached"},
		{"- {name: v0.7, kind: vlan, parent: v0, id: 7}", "list it under links"},
		{"- {name: v0, kind: dummy}\n      - {name: v0.7, kind: vlan, parent: v1, id: 7}", "did you mean v0?"},
	} {
		_, err := Decode("x", strings.NewReader("scenarios:\n  - name: a/b\n    links:\n      "+test.file+"\n    expect: clean\n"))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\ngives %v, want %q", test.file, err, test.want)
		}
	}
}
