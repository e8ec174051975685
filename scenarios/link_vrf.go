// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "fmt"

// VrfOptions are the options of a vrf; its ports name it as master.
type VrfOptions struct {
	// Table is the routing table, 1 to 2147483647.
	Table int
}

// Vrf is the record of the kind.
func (linkTable) Vrf() linkKind {
	return linkKind{
		Kind:    Kind{Name: "vrf", About: "routing domain of its own", Config: []string{"CONFIG_NET_VRF"}, Modules: []string{"vrf"}, On: OnPorts},
		options: func() LinkOptions { return &VrfOptions{} },
	}
}

// Kind implements LinkOptions.
func (*VrfOptions) Kind() string { return "vrf" }

// Lower implements LinkOptions.
func (*VrfOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *VrfOptions) Check() error {
	if o.Table < 1 || o.Table > maxInt32 {
		return wrong("table", fmt.Sprintf("routing table %d", o.Table), "give 1 to 2147483647")
	}
	return nil
}

func (o *VrfOptions) fields() []field { return []field{{"table", whole(&o.Table)}} }
