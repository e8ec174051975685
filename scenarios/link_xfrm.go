// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "fmt"

// XfrmOptions are the options of an xfrm interface.
type XfrmOptions struct {
	Parent string
	// ID is the interface id that policies name, 1 to 2147483647.
	ID int
}

// Xfrm is the record of the kind.
func (linkTable) Xfrm() linkKind {
	return linkKind{
		Kind:    Kind{Name: "xfrm", About: "link that IPsec policies name", Config: []string{"CONFIG_XFRM_INTERFACE"}, Modules: []string{"xfrm_interface"}, Loads: []string{"xfrm_user", "esp4"}, On: OnUnderlay},
		options: func() LinkOptions { return &XfrmOptions{} },
	}
}

// Kind implements LinkOptions.
func (*XfrmOptions) Kind() string { return "xfrm" }

// Lower implements LinkOptions.
func (o *XfrmOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *XfrmOptions) Check() error {
	if o.ID < 1 || o.ID > maxInt32 {
		return wrong("id", fmt.Sprintf("xfrm interface id %d", o.ID), "give 1 to 2147483647")
	}
	return nil
}

func (o *XfrmOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"id", whole(&o.ID)}}
}
