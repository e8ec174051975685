// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IodineOptions are the options of iodine: the TUN of a real iodined without a
// client. It needs an address.
type IodineOptions struct{}

// Iodine is the record of the kind.
func (linkTable) Iodine() linkKind {
	return linkKind{
		Kind: Kind{
			Name: "iodine", About: "the tun of a real iodined, the link of 2012", Config: []string{"CONFIG_TUN"}, Modules: []string{"tun"},
			Programs: iodinePrograms(),
		},
		options: func() LinkOptions { return &IodineOptions{} },
	}
}

// iodinePrograms are iodined and what it calls: a shell that is to run ifconfig
// with PATH=/sbin:/bin (iodine's src/tun.c).
func iodinePrograms() []Program {
	return []Program{{"iodined", "/usr/sbin/iodined"}, {"sh", "/bin/sh"}, {"ifconfig", "/sbin/ifconfig"}}
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
