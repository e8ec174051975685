// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IpipOptions are the options of an ipip tunnel.
type IpipOptions struct{ GreOptions }

// Ipip is the record of the kind.
func (linkTable) Ipip() linkKind {
	return linkKind{
		Kind:    Kind{Name: "ipip", About: "IP over IP", Config: []string{"CONFIG_NET_IPIP"}, Modules: []string{"ipip"}, On: OnUnderlay},
		options: func() LinkOptions { return &IpipOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IpipOptions) Kind() string { return "ipip" }
