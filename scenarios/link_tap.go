// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// TapOptions are the options of a tap.
type TapOptions struct{ TunOptions }

func tapKind() linkKind {
	return linkKind{
		Kind:    Kind{"tap", "Ethernet link whose far end is a program", "CONFIG_TUN", "tun"},
		options: func() LinkOptions { return &TapOptions{} },
	}
}

// Kind implements LinkOptions.
func (*TapOptions) Kind() string { return "tap" }
