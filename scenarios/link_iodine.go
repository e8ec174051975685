// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IodineOptions are the options of iodine: the TUN of a real iodined without a
// client. It needs an address.
type IodineOptions struct{}

func iodineKind() linkKind {
	return linkKind{
		Kind:    Kind{"iodine", "the tun of a real iodined, the link of 2012", "CONFIG_TUN", "tun"},
		options: func() LinkOptions { return &IodineOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IodineOptions) Kind() string { return "iodine" }

// Lower implements LinkOptions.
func (*IodineOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*IodineOptions) Check() error { return nil }

func (*IodineOptions) fields() []field { return nil }

func (*IodineOptions) checkAmong(l Link, _ []Link) error {
	if len(l.Addresses) == 0 {
		return wrong("address", "iodine without an address", "give one; iodined sets it itself")
	}
	return nil
}
