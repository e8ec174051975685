// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// BridgeOptions are the options of a bridge; its ports name it as master.
type BridgeOptions struct{}

func bridgeKind() linkKind {
	return linkKind{
		Kind:    Kind{"bridge", "Ethernet switch", "CONFIG_BRIDGE", "bridge"},
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
