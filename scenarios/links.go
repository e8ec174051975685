package scenarios

// The options of each kind of link. One type a kind; what they mean is in
// ip-link(8). Zero values leave the kernel's own choice.

// TunOptions are the options of a tun.
type TunOptions struct {
	Reader Reader
	// Queues above 1 asks for IFF_MULTI_QUEUE and opens that many.
	Queues int
	// Backpressure asks for IFF_BACKPRESSURE (0x0080, 485e38995cc3), looked for
	// with TUNGETFEATURES because older kernels ignore it in silence.
	Backpressure bool
}

// TapOptions are the options of a tap.
type TapOptions struct{ TunOptions }

// IodineOptions are the options of iodine: the TUN of a real iodined without a
// client. It needs an address.
type IodineOptions struct{}

// VethOptions are the options of a veth pair.
type VethOptions struct{ Peer Common }

// DummyOptions are the options of a dummy.
type DummyOptions struct{}

// IfbOptions are the options of an ifb.
type IfbOptions struct{}

// NlmonOptions are the options of an nlmon.
type NlmonOptions struct{}

// BridgeOptions are the options of a bridge; its ports name it as master.
type BridgeOptions struct{}

// VlanOptions are the options of an 802.1Q VLAN.
type VlanOptions struct {
	Parent string
	ID     int
}

// MacvlanOptions are the options of a macvlan.
type MacvlanOptions struct {
	Parent string
	// Mode is bridge (the default), private, vepa or passthru.
	Mode string
}

// MacvtapOptions are the options of a macvtap.
type MacvtapOptions struct {
	MacvlanOptions
	Reader Reader
}

// IpvlanOptions are the options of an ipvlan.
type IpvlanOptions struct {
	Parent string
	// Mode is l2 (the default), l3 or l3s.
	Mode string
}

// BondOptions are the options of a bond; its ports name it as master.
type BondOptions struct {
	// Mode is active-backup (the default), balance-rr or broadcast.
	Mode string
}

// TeamOptions are the options of a team; its ports name it as master.
type TeamOptions struct {
	// Mode is roundrobin (the default), broadcast or activebackup.
	Mode string
	// Disabled names ports whose "enabled" option is taken away.
	Disabled []string
}

// VxlanOptions are the options of a vxlan.
type VxlanOptions struct {
	Parent string
	ID     int
	Remote string
	Local  string
	// Port is the UDP port; 0 is 4789.
	Port int
}

// GeneveOptions are the options of a geneve.
type GeneveOptions struct {
	// Parent is the link its packets must leave by; it orders the building, the
	// route decides.
	Parent string
	ID     int
	Remote string
}

// GreOptions are the options of a gre tunnel.
type GreOptions struct {
	Parent string
	Local  string
	Remote string
}

// GretapOptions are the options of a gretap.
type GretapOptions struct{ GreOptions }

// IpipOptions are the options of an ipip tunnel.
type IpipOptions struct{ GreOptions }

// WireguardOptions are the options of a wireguard with one peer that never
// answers; its key is made for the occasion.
type WireguardOptions struct {
	Parent string
	// Endpoint is the peer's address and port.
	Endpoint string
}

// VrfOptions are the options of a vrf; its ports name it as master.
type VrfOptions struct{ Table int }

// MacsecOptions are the options of a macsec.
type MacsecOptions struct{ Parent string }

// XfrmOptions are the options of an xfrm interface.
type XfrmOptions struct {
	Parent string
	ID     int
}
