// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// GeneveOptions are the options of a geneve.
type GeneveOptions struct {
	// Parent is the link its packets must leave by; it orders the building, the
	// route decides.
	Parent string
	// ID is the network identifier, 0 to 16777215.
	ID int
	// Remote is needed.
	Remote string
}

// Geneve is the record of the kind.
func (linkTable) Geneve() linkKind {
	return linkKind{
		Kind:    Kind{Name: "geneve", About: "Ethernet over UDP, with options", Config: []string{"CONFIG_GENEVE"}, Modules: []string{"geneve"}, On: OnUnderlay},
		options: func() LinkOptions { return &GeneveOptions{} },
	}
}

// Kind implements LinkOptions.
func (*GeneveOptions) Kind() string { return "geneve" }

// Lower implements LinkOptions.
func (o *GeneveOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *GeneveOptions) Check() error {
	if err := vni(o.ID); err != nil {
		return err
	}
	if o.Remote == "" {
		return wrong("remote", "geneve without a remote", "give the far end's address")
	}
	return tunnelEnds("", o.Remote)
}

func (o *GeneveOptions) fields() []field {
	return []field{
		{"parent", text(&o.Parent)},
		{"id", whole(&o.ID)},
		{"remote", text(&o.Remote)},
	}
}
