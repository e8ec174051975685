// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// VethOptions are the options of a veth pair.
type VethOptions struct {
	// Peer is the far end; it may be in another namespace.
	Peer Common
	// XDP is what a BPF program at the far end does with each packet: pass or
	// drop. With one there, the near end sends by a ring that NAPI empties. ""
	// is no program.
	XDP string
}

// What VethOptions.XDP may be.
const (
	XDPPass = "pass"
	XDPDrop = "drop"
)

// Veth is the record of the kind.
func (linkTable) Veth() linkKind {
	return linkKind{
		Kind:    Kind{Name: "veth", About: "two Ethernet links tied together", Config: []string{"CONFIG_VETH"}, Modules: []string{"veth"}, Carrier: CarrierOfPeer},
		options: func() LinkOptions { return &VethOptions{} },
	}
}

// Kind implements LinkOptions.
func (*VethOptions) Kind() string { return "veth" }

// Lower implements LinkOptions.
func (*VethOptions) Lower() []string { return nil }

// PeerEnd implements Paired.
func (o *VethOptions) PeerEnd() *Common { return &o.Peer }

// IPLink implements PairedByIP.
func (*VethOptions) IPLink() []string { return []string{"type", "veth"} }

// Check implements LinkOptions.
func (o *VethOptions) Check() error {
	if err := under("peer", o.Peer.check()); err != nil {
		return err
	}
	return oneOf("xdp", "XDP program", o.XDP, "", XDPPass, XDPDrop)
}

func (o *VethOptions) fields() []field {
	return []field{{"peer", object(&o.Peer)}, {"xdp", text(&o.XDP)}}
}
