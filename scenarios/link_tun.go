// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "fmt"

// maxTunQueues is MAX_TAP_QUEUES of drivers/net/tun.c.
const maxTunQueues = 256

// TunOptions are the options of a tun.
type TunOptions struct {
	Reader Reader
	// Queues above 1 asks for IFF_MULTI_QUEUE and opens that many; at most 256.
	Queues int
	// Backpressure asks for IFF_BACKPRESSURE (0x0080, 485e38995cc3), looked for
	// with TUNGETFEATURES because older kernels ignore it in silence.
	Backpressure bool
}

// Tun is the record of the kind.
func (linkTable) Tun() linkKind {
	return linkKind{
		Kind:    Kind{Name: "tun", About: "layer 3 link whose far end is a program", Config: []string{"CONFIG_TUN"}, Modules: []string{"tun"}},
		options: func() LinkOptions { return &TunOptions{} },
	}
}

// Kind implements LinkOptions.
func (*TunOptions) Kind() string { return "tun" }

// Lower implements LinkOptions.
func (*TunOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *TunOptions) Check() error {
	if o.Queues < 0 || o.Queues > maxTunQueues {
		return wrong("queues", fmt.Sprintf("%d queues", o.Queues), "give 1 to 256")
	}
	return under("reader", o.Reader.check())
}

func (o *TunOptions) fields() []field {
	return []field{
		{"reader", object(&o.Reader)},
		{"queues", whole(&o.Queues)},
		{"backpressure", truth(&o.Backpressure)},
	}
}
