// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// GretapOptions are the options of a gretap.
type GretapOptions struct{ GreOptions }

// Gretap is the record of the kind.
func (linkTable) Gretap() linkKind {
	return linkKind{
		Kind:    Kind{Name: "gretap", About: "Ethernet over GRE", Config: []string{"CONFIG_NET_IPGRE"}, Modules: []string{"ip_gre"}, On: OnUnderlay},
		options: func() LinkOptions { return &GretapOptions{} },
	}
}

// Kind implements LinkOptions.
func (*GretapOptions) Kind() string { return "gretap" }
