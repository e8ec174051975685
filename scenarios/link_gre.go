// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// GreOptions are the options of a gre tunnel.
type GreOptions struct {
	Parent string
	Local  string
	Remote string
}

// Gre is the record of the kind.
func (linkTable) Gre() linkKind {
	return linkKind{
		Kind:    Kind{Name: "gre", About: "IP over GRE", Config: []string{"CONFIG_NET_IPGRE"}, Modules: []string{"ip_gre"}, On: OnUnderlay},
		options: func() LinkOptions { return &GreOptions{} },
	}
}

// Kind implements LinkOptions.
func (*GreOptions) Kind() string { return "gre" }

// Lower implements LinkOptions.
func (o *GreOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *GreOptions) Check() error { return tunnelEnds(o.Local, o.Remote) }

func (o *GreOptions) fields() []field {
	return []field{
		{"parent", text(&o.Parent)},
		{"local", text(&o.Local)},
		{"remote", text(&o.Remote)},
	}
}
