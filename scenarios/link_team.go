// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"slices"
)

// TeamOptions are the options of a team; its ports name it as master.
type TeamOptions struct {
	// Mode is roundrobin (the default), broadcast, activebackup, random or
	// loadbalance.
	Mode string
	// Disabled names ports whose "enabled" option is taken away.
	Disabled []string
}

func teamKind() linkKind {
	return linkKind{
		Kind:    Kind{"team", "several Ethernet links as one, run by a daemon", "CONFIG_NET_TEAM and its modes", "team"},
		options: func() LinkOptions { return &TeamOptions{} },
	}
}

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
