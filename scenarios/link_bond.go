package scenarios

// BondOptions are the options of a bond; its ports name it as master.
type BondOptions struct {
	// Mode is active-backup (the default), balance-rr or broadcast.
	Mode string
}

func bondKind() linkKind {
	return linkKind{
		Kind:    Kind{"bond", "several Ethernet links as one", "CONFIG_BONDING", "bonding"},
		options: func() LinkOptions { return &BondOptions{} },
	}
}

// Kind implements LinkOptions.
func (*BondOptions) Kind() string { return "bond" }

// Lower implements LinkOptions.
func (*BondOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *BondOptions) Check() error {
	return oneOf("mode", "bond mode", o.Mode, "", "active-backup", "balance-rr", "broadcast")
}

func (o *BondOptions) fields() []field { return []field{{"mode", text(&o.Mode)}} }
