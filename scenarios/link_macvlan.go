// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// MacvlanOptions are the options of a macvlan.
type MacvlanOptions struct {
	Parent string
	// Mode is bridge (the default), private, vepa or passthru.
	Mode string
}

// Macvlan is the record of the kind.
func (linkTable) Macvlan() linkKind {
	return linkKind{
		Kind:    Kind{Name: "macvlan", About: "own MAC address on a parent", Config: []string{"CONFIG_MACVLAN"}, Modules: []string{"macvlan"}, On: OnParent, Carrier: CarrierOfParent},
		options: func() LinkOptions { return &MacvlanOptions{} },
	}
}

// Kind implements LinkOptions.
func (*MacvlanOptions) Kind() string { return "macvlan" }

// Lower implements LinkOptions.
func (o *MacvlanOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *MacvlanOptions) Check() error {
	if err := needParent("macvlan or macvtap", o.Parent); err != nil {
		return err
	}
	return oneOf("mode", "macvlan mode", o.Mode, "", "bridge", "private", "vepa", "passthru")
}

func (o *MacvlanOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"mode", text(&o.Mode)}}
}
