// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// IfbOptions are the options of an ifb.
type IfbOptions struct{}

func ifbKind() linkKind {
	return linkKind{
		Kind:    Kind{"ifb", "link that hands back what tc redirects to it", "CONFIG_IFB", "ifb"},
		options: func() LinkOptions { return &IfbOptions{} },
	}
}

// Kind implements LinkOptions.
func (*IfbOptions) Kind() string { return "ifb" }

// Lower implements LinkOptions.
func (*IfbOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*IfbOptions) Check() error { return nil }

func (*IfbOptions) fields() []field { return nil }
