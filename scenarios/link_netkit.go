// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "cmp"

// NetkitOptions are the options of a netkit pair: the link of container networks
// that want a BPF program at both ends (drivers/net/netkit.c, since 6.7).
type NetkitOptions struct {
	// Peer is the far end; it may be in another namespace.
	Peer Common
	// Mode is l3 (the default), which has no Ethernet addresses, or l2.
	Mode string
	// Policy is what the near end does with a packet that no program decides on:
	// forward (the default) or blackhole.
	Policy string
}

// Netkit is the record of the kind.
func (linkTable) Netkit() linkKind {
	return linkKind{
		Kind:    Kind{Name: "netkit", About: "two links tied together, for containers", Config: []string{"CONFIG_NETKIT"}, Carrier: CarrierOfPeer},
		options: func() LinkOptions { return &NetkitOptions{} },
	}
}

// Kind implements LinkOptions.
func (*NetkitOptions) Kind() string { return "netkit" }

// Lower implements LinkOptions.
func (*NetkitOptions) Lower() []string { return nil }

// PeerEnd implements Paired.
func (o *NetkitOptions) PeerEnd() *Common { return &o.Peer }

// IPLink implements PairedByIP.
func (o *NetkitOptions) IPLink() []string {
	return []string{"type", "netkit", "mode", cmp.Or(o.Mode, "l3"), cmp.Or(o.Policy, "forward")}
}

// Check implements LinkOptions.
func (o *NetkitOptions) Check() error {
	if err := under("peer", o.Peer.check()); err != nil {
		return err
	}
	if err := oneOf("mode", "netkit mode", o.Mode, "", "l3", "l2"); err != nil {
		return err
	}
	return oneOf("policy", "netkit policy", o.Policy, "", "forward", "blackhole")
}

func (o *NetkitOptions) fields() []field {
	return []field{{"peer", object(&o.Peer)}, {"mode", text(&o.Mode)}, {"policy", text(&o.Policy)}}
}
