// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// BridgeOptions are the options of a bridge; its ports name it as master.
type BridgeOptions struct{}

// Bridge is the record of the kind.
func (linkTable) Bridge() linkKind {
	return linkKind{
		Kind:    Kind{Name: "bridge", About: "Ethernet switch", Config: []string{"CONFIG_BRIDGE"}, Modules: []string{"bridge"}, On: OnPorts, Carrier: CarrierOfPorts},
		options: func() LinkOptions { return &BridgeOptions{} },
	}
}

// Kind implements LinkOptions.
func (*BridgeOptions) Kind() string { return "bridge" }

// Lower implements LinkOptions.
func (*BridgeOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (*BridgeOptions) Check() error { return nil }

func (*BridgeOptions) fields() []field { return nil }
