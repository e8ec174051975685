// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// TapOptions are the options of a tap.
type TapOptions struct{ TunOptions }

// Tap is the record of the kind.
func (linkTable) Tap() linkKind {
	return linkKind{
		Kind:    Kind{Name: "tap", About: "Ethernet link whose far end is a program", Config: []string{"CONFIG_TUN"}, Modules: []string{"tun"}},
		options: func() LinkOptions { return &TapOptions{} },
	}
}

// Kind implements LinkOptions.
func (*TapOptions) Kind() string { return "tap" }
