// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// MacvtapOptions are the options of a macvtap.
type MacvtapOptions struct {
	MacvlanOptions
	Reader Reader
}

// Macvtap is the record of the kind.
func (linkTable) Macvtap() linkKind {
	return linkKind{
		Kind:    Kind{Name: "macvtap", About: "macvlan that a program reads", Config: []string{"CONFIG_MACVTAP"}, Modules: []string{"macvtap"}, Loads: []string{"tap"}, On: OnParent, Carrier: CarrierOfParent},
		options: func() LinkOptions { return &MacvtapOptions{} },
	}
}

// Kind implements LinkOptions.
func (*MacvtapOptions) Kind() string { return "macvtap" }

// Check implements LinkOptions.
func (o *MacvtapOptions) Check() error {
	if err := o.MacvlanOptions.Check(); err != nil {
		return err
	}
	return under("reader", o.Reader.check())
}

func (o *MacvtapOptions) fields() []field {
	return append(o.MacvlanOptions.fields(), field{"reader", object(&o.Reader)})
}
