// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// GretapOptions are the options of a gretap.
type GretapOptions struct{ GreOptions }

func gretapKind() linkKind {
	return linkKind{
		Kind:    Kind{"gretap", "Ethernet over GRE", "CONFIG_NET_IPGRE", "ip_gre"},
		options: func() LinkOptions { return &GretapOptions{} },
	}
}

// Kind implements LinkOptions.
func (*GretapOptions) Kind() string { return "gretap" }
