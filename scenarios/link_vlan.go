// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "fmt"

// VlanOptions are the options of an 802.1Q VLAN.
type VlanOptions struct {
	Parent string
	// ID is 1 to 4094.
	ID int
}

// Vlan is the record of the kind.
func (linkTable) Vlan() linkKind {
	return linkKind{
		Kind:    Kind{Name: "vlan", About: "802.1Q VLAN on a parent", Config: []string{"CONFIG_VLAN_8021Q"}, Modules: []string{"8021q"}, On: OnParent, Carrier: CarrierOfParent},
		options: func() LinkOptions { return &VlanOptions{} },
	}
}

// Kind implements LinkOptions.
func (*VlanOptions) Kind() string { return "vlan" }

// Lower implements LinkOptions.
func (o *VlanOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *VlanOptions) Check() error {
	if o.ID < 1 || o.ID > 4094 {
		return wrong("id", fmt.Sprintf("VLAN id %d", o.ID), "give 1 to 4094")
	}
	return needParent("vlan", o.Parent)
}

func (o *VlanOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"id", whole(&o.ID)}}
}
