// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IpvlanOptions are the options of an ipvlan.
type IpvlanOptions struct {
	Parent string
	// Mode is l2 (the default), l3 or l3s.
	Mode string
}

// Ipvlan is the record of the kind.
func (linkTable) Ipvlan() linkKind {
	return linkKind{
		Kind:    Kind{Name: "ipvlan", About: "own IP address on a parent", Config: []string{"CONFIG_IPVLAN"}, Modules: []string{"ipvlan"}, On: OnParent, Carrier: CarrierOfParent},
		options: func() LinkOptions { return &IpvlanOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IpvlanOptions) Kind() string { return "ipvlan" }

// Lower implements LinkOptions.
func (o *IpvlanOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *IpvlanOptions) Check() error {
	if err := needParent("ipvlan", o.Parent); err != nil {
		return err
	}
	return oneOf("mode", "ipvlan mode", o.Mode, "", "l2", "l3", "l3s")
}

func (o *IpvlanOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"mode", text(&o.Mode)}}
}
