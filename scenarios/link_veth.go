package scenarios

// VethOptions are the options of a veth pair.
type VethOptions struct {
	// Peer is the far end; it may be in another namespace.
	Peer Common
}

func vethKind() linkKind {
	return linkKind{
		Kind:    Kind{"veth", "two Ethernet links tied together", "CONFIG_VETH", "veth"},
		options: func() LinkOptions { return &VethOptions{} },
	}
}

// Kind implements LinkOptions.
func (*VethOptions) Kind() string { return "veth" }

// Lower implements LinkOptions.
func (*VethOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *VethOptions) Check() error { return under("peer", o.Peer.check()) }

func (o *VethOptions) fields() []field { return []field{{"peer", object(&o.Peer)}} }
