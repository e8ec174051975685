// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// TeamOptions are the options of a team; its ports name it as master.
type TeamOptions struct {
	// Mode is roundrobin (the default), broadcast, activebackup, random or
	// loadbalance.
	Mode string
	// Disabled names ports whose "enabled" option is taken away.
	Disabled []string
}

// Team is the record of the kind.
func (linkTable) Team() linkKind {
	return linkKind{
		Kind: Kind{
			Name: "team", About: "several Ethernet links as one, run by a daemon", Config: []string{"CONFIG_NET_TEAM"}, Modules: []string{"team"},
			On: OnPorts, Carrier: CarrierOfPorts, Uses: teamModes(),
		},
		options: func() LinkOptions { return &TeamOptions{} },
	}
}

// teamModes are the modes, each a module of its own that the kernel asks for
// when a team takes it (drivers/net/team, team_mode_get). A team begins with the
// first.
func teamModes() []Need {
	var out []Need
	for _, mode := range []string{"roundrobin", "broadcast", "activebackup", "random", "loadbalance"} {
		out = append(out, Need{
			Feature: "team mode " + mode, Config: []string{"CONFIG_NET_TEAM_MODE_" + strings.ToUpper(mode)}, Modules: []string{"team_mode_" + mode},
		})
	}
	return out
}

// TeamModeNeed is what a mode needs; "" is the one a team begins with.
func TeamModeNeed(mode string) Need {
	modes := teamModes()
	for _, n := range modes {
		if n.Feature == "team mode "+mode {
			return n
		}
	}
	return modes[0]
}

func (o *TeamOptions) needs() []Need { return []Need{TeamModeNeed(o.Mode)} }

// Kind implements LinkOptions.
func (*TeamOptions) Kind() string { return "team" }

// Lower implements LinkOptions.
func (*TeamOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *TeamOptions) Check() error {
	return oneOf("mode", "team mode", o.Mode, "", "roundrobin", "broadcast", "activebackup", "random", "loadbalance")
}

func (o *TeamOptions) fields() []field {
	return []field{{"mode", text(&o.Mode)}, {"disabled", words(&o.Disabled)}}
}

func (o *TeamOptions) checkAmong(l Link, links []Link) error {
	for i, port := range o.Disabled {
		found := slices.ContainsFunc(ends(links), func(e end) bool {
			return e.common.Name == port && e.common.Netns == l.Netns && e.common.Master == l.Name
		})
		if !found {
			return wrong(fmt.Sprintf("disabled[%d]", i), fmt.Sprintf("%q is no port of %s", port, l.Name),
				fmt.Sprintf("name a link that has master: %s", l.Name))
		}
	}
	return nil
}
