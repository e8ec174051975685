// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"slices"
	"testing"

	"skleak/scenarios"
)

func TestModulesOf(t *testing.T) {
	k := realVM(t, "debian:6.1").Kernel
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		scenario, module string
		want             bool
	}{
		{"tun/unread", "tun", true},
		{"tap/read", "tun", true},
		{"dummy/up", "tun", false},
		{"vlan/up", "8021q", true},
		{"vlan/up", "veth", true},
		{"hold/plug", "sch_plug", true},
		{"hold/tbf", "sch_plug", false},
		{"team/broadcast", "team_mode_broadcast", true},
		{"nic/ne2k-pci-takes", "8390", true},
		{"nic/e1000-takes", "e1000", true},
		{"nic/e1000-takes", "e1000e", false},
		{"gre/resolved", "ip_tunnel", true},
		{"vxlan/resolved", "udp_tunnel", true},
		{"wireguard/dead-peer", "udp_tunnel", true},
		{"vlan/up", "udp_tunnel", false},
	} {
		i := slices.IndexFunc(all, func(sc scenarios.Scenario) bool { return sc.Name == test.scenario })
		if i < 0 {
			t.Fatalf("no scenario %s", test.scenario)
		}
		got, err := ModulesOf(k, all[i])
		if err != nil || slices.Contains(got, test.module) != test.want {
			t.Errorf("%s uses %v, %v; want %s: %t", test.scenario, got, err, test.module, test.want)
		}
	}
}
