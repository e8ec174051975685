// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// NlmonOptions are the options of an nlmon.
type NlmonOptions struct{}

// Nlmon is the record of the kind.
func (linkTable) Nlmon() linkKind {
	return linkKind{
		Kind:    Kind{Name: "nlmon", About: "tap on netlink messages; drops what is sent", Config: []string{"CONFIG_NLMON"}, Modules: []string{"nlmon"}},
		options: func() LinkOptions { return &NlmonOptions{} },
	}
}

// Kind implements LinkOptions.
func (*NlmonOptions) Kind() string { return "nlmon" }

// Lower implements LinkOptions.
func (*NlmonOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*NlmonOptions) Check() error { return nil }

func (*NlmonOptions) fields() []field { return nil }
