// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "fmt"

// maxVNI is the largest 24-bit network identifier of vxlan and geneve.
const maxVNI = 1<<24 - 1

// VxlanOptions are the options of a vxlan.
type VxlanOptions struct {
	Parent string
	// ID is the network identifier, 0 to 16777215.
	ID     int
	Remote string
	Local  string
	// Port is the UDP port; 0 is 4789.
	Port int
}

// Vxlan is the record of the kind.
func (linkTable) Vxlan() linkKind {
	return linkKind{
		Kind:    Kind{Name: "vxlan", About: "Ethernet over UDP", Config: []string{"CONFIG_VXLAN"}, Modules: []string{"vxlan"}, On: OnUnderlay},
		options: func() LinkOptions { return &VxlanOptions{} },
	}
}

// Kind implements LinkOptions.
func (*VxlanOptions) Kind() string { return "vxlan" }

// Lower implements LinkOptions.
func (o *VxlanOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *VxlanOptions) Check() error {
	if err := vni(o.ID); err != nil {
		return err
	}
	if o.Port < 0 || o.Port > 65535 {
		return wrong("port", fmt.Sprintf("UDP port %d", o.Port), "give 1 to 65535, or leave it out for 4789")
	}
	return tunnelEnds(o.Local, o.Remote)
}

func vni(id int) error {
	if id < 0 || id > maxVNI {
		return wrong("id", fmt.Sprintf("network identifier %d", id), "give 0 to 16777215")
	}
	return nil
}

func (o *VxlanOptions) fields() []field {
	return []field{
		{"parent", text(&o.Parent)},
		{"id", whole(&o.ID)},
		{"remote", text(&o.Remote)},
		{"local", text(&o.Local)},
		{"port", whole(&o.Port)},
	}
}
