// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// MacsecOptions are the options of a macsec.
type MacsecOptions struct {
	Parent string
	// Keyless leaves it without a key to send with, as it is until the daemon
	// has agreed on one.
	Keyless bool
}

func macsecKind() linkKind {
	return linkKind{
		Kind:    Kind{"macsec", "encrypted Ethernet on a parent", "CONFIG_MACSEC", "macsec"},
		options: func() LinkOptions { return &MacsecOptions{} },
	}
}

// Kind implements LinkOptions.
func (*MacsecOptions) Kind() string { return "macsec" }

// Lower implements LinkOptions.
func (o *MacsecOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *MacsecOptions) Check() error { return needParent("macsec", o.Parent) }

func (o *MacsecOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"keyless", truth(&o.Keyless)}}
}
