// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// BondOptions are the options of a bond; its ports name it as master.
type BondOptions struct {
	// Mode is one of bondModes; "" is active-backup.
	Mode string
}

// Bond is the record of the kind.
func (linkTable) Bond() linkKind {
	return linkKind{
		Kind:    Kind{Name: "bond", About: "several Ethernet links as one", Config: []string{"CONFIG_BONDING"}, Modules: []string{"bonding"}, On: OnPorts, Carrier: CarrierOfPorts},
		options: func() LinkOptions { return &BondOptions{} },
	}
}

// Kind implements LinkOptions.
func (*BondOptions) Kind() string { return "bond" }

// Lower implements LinkOptions.
func (*BondOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *BondOptions) Check() error {
	return oneOf("mode", "bond mode", o.Mode, append([]string{""}, bondModes()...)...)
}

// bondModes are the kernel's names (drivers/net/bonding/bond_options.c,
// bond_mode_tbl).
func bondModes() []string {
	return []string{"active-backup", "balance-rr", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}
}

func (o *BondOptions) fields() []field { return []field{{"mode", text(&o.Mode)}} }
