// SPDX-License-Identifier: GPL-2.0-only

package kerneltest

import (
	"strings"
	"testing"
)

func TestLacking(t *testing.T) {
	c, err := parse(strings.NewReader("# comment\nCONFIG_VETH=m\nCONFIG_TUN=y\n# CONFIG_DUMMY is not set\nCONFIG_HZ=250\nCONFIG_CMDLINE=\"\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		release string
		options string
		known   bool
		lacking bool
	}{
		"older":             {"5.4.100", "VETH", true, true},
		"older by ten":      {"4.19.0-1-amd64", "VETH", false, true},
		"the first to have": {"5.5.0-rc1", "VETH TUN", true, false},
		"later":             {"6.18.44-fc", "TUN", true, false},
		"5.10 is later":     {"5.10.0", "TUN", true, false},
		"built without":     {"6.1.0", "VETH DUMMY", true, true},
		"a number is no y":  {"6.1.0", "HZ", true, true},
		"not known":         {"6.1.0", "DUMMY", false, false},
	} {
		of := c
		if !test.known {
			of = nil
		}
		f := Feature{Since: "5.5", Options: strings.Fields(test.options)}
		if got, reason := f.lacking(test.release, of); got != test.lacking || reason == "" {
			t.Errorf("%s: lacking %v (%s)", name, got, reason)
		}
	}
	if _, err := parse(strings.NewReader("nothing")); err == nil {
		t.Error("a text without options is a configuration")
	}
}
