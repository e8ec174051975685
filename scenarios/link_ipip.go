// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IpipOptions are the options of an ipip tunnel.
type IpipOptions struct{ GreOptions }

func ipipKind() linkKind {
	return linkKind{
		Kind:    Kind{"ipip", "IP over IP", "CONFIG_NET_IPIP", "ipip"},
		options: func() LinkOptions { return &IpipOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IpipOptions) Kind() string { return "ipip" }
