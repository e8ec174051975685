// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IfbOptions are the options of an ifb.
type IfbOptions struct{}

// Ifb is the record of the kind.
func (linkTable) Ifb() linkKind {
	return linkKind{
		Kind:    Kind{Name: "ifb", About: "link that hands back what tc redirects to it", Config: []string{"CONFIG_IFB"}, Modules: []string{"ifb"}},
		options: func() LinkOptions { return &IfbOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IfbOptions) Kind() string { return "ifb" }

// Lower implements LinkOptions.
func (*IfbOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*IfbOptions) Check() error { return nil }

func (*IfbOptions) fields() []field { return nil }
