// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"strings"
	"testing"
)

func nicFile(options string) string {
	return "scenarios:\n  - name: mine/card\n    links:\n      - {name: eth0, kind: nic, address: 172.29.198.129/28, " + options + "}\n    expect: clean\n"
}

func TestNicDecodes(t *testing.T) {
	list, err := Decode("file", strings.NewReader(nicFile("model: e1000, backend: none, fault: {what: unplugged, after: 300}")))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := list[0].Links[0].Options.(*NicOptions)
	want := NicOptions{Model: "e1000", Backend: BackendNone, Fault: NicFault{What: FaultUnplugged, After: 300}}
	if !ok || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNicErrors(t *testing.T) {
	for options, want := range map[string]string{
		"backend: none":                                  "unknown model of network card",
		"model: e1000x":                                  "did you mean e1000",
		"model: e1000, backend: all":                     "links[0].backend: unknown backend",
		"model: e1000, netns: far":                       "leave it in the sandbox's own",
		"model: e1000, fault: {after: 1}":                "give both what and after",
		"model: e1000, fault: {what: cut}":               "links[0].fault.what: unknown fault",
		"model: e1000, fault: {what: reset}":             "give both what and after",
		"model: e1000, fault: {what: reset, after: -1}":  "after",
		"model: tulip, fault: {what: mtu, after: 1}":     "does not reset it for a new MTU",
		"model: ne2k_pci, fault: {what: hung, after: 1}": "does no DMA",
	} {
		_, err := Decode("file", strings.NewReader(nicFile(options)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", options, err, want)
		}
	}
}

func TestCardMAC(t *testing.T) {
	a, b, c := CardMAC("a/b", "eth0"), CardMAC("a/b", "eth1"), CardMAC("a/c", "eth0")
	if len(a) != 6 || a[0] != 2 || a.String() == b.String() || a.String() == c.String() || a.String() != CardMAC("a/b", "eth0").String() {
		t.Errorf("%s %s %s", a, b, c)
	}
}

func TestCardsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cards() {
		if seen[c.Model] || c.Driver == "" || c.Module == "" || !strings.HasPrefix(c.Config, "CONFIG_") || len(c.PCI) != 9 {
			t.Errorf("%+v", c)
		}
		seen[c.Model] = true
	}
}
