// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"skleak/internal/spelling"
	"skleak/scenarios"
)

// Spec is one kind of packet.
type Spec struct {
	// Name is what a scenario calls it, one of scenarios.Packets.
	Name string
	// About is one sentence: who sends it.
	About string
	// Protocol is the IP protocol number, 0 to 255.
	Protocol uint8
	// Destination is where it goes unless the scenario says otherwise; the zero
	// Addr where it must.
	Destination netip.Addr
	// SourcePort and Port are the UDP ports; 0 where Protocol is not UDP.
	SourcePort, Port uint16
	// TTL and TOS are the bytes of the IP header.
	TTL, TOS uint8
	// RouterAlert adds that IP option (RFC 2113).
	RouterAlert bool
	// Message is what its protocol calls it, Every the interval at which who sends
	// it does by default; 0 where there is none.
	Message string
	Every   time.Duration

	// data is what follows the headers when the scenario gives no payload.
	data func(ends) ([]byte, error)
	// encode puts header, lengths and checksums to data; nil for none of them.
	encode func(e ends, data []byte) ([]byte, error)
	// header is how many bytes encode puts before data.
	header int
}

// ends are the two addresses of a packet.
type ends struct{ src, dst netip.Addr }

// UDP reports whether the packet travels in UDP.
func (s Spec) UDP() bool { return s.Port != 0 }

// Multicast reports whether the packet goes to a group by default.
func (s Spec) Multicast() bool { return s.Destination.IsMulticast() }

// ipHeader is the length of the IP header in bytes.
func (s Spec) ipHeader() int {
	if s.RouterAlert {
		return 24
	}
	return 20
}

// Specs lists every packet, in the order of scenarios.Packets.
func Specs() []Spec {
	return []Spec{
		ospfHello(), vrrp(), pimHello(), igmpReport(), eigrpHello(),
		rip(), mdns(), icmpEcho(), icmpEchoMulticast(), experimental(),
	}
}

// Lookup finds a packet by name. The error for an unknown one gives the nearest
// names.
func Lookup(name string) (Spec, error) {
	specs := Specs()
	for _, s := range specs {
		if s.Name == name {
			return s, nil
		}
	}
	near := spelling.Nearest(name, scenarios.Packets())
	if len(near) == 0 {
		near = scenarios.Packets()
	}
	return Spec{}, fmt.Errorf("unknown packet %q: use %s", name, strings.Join(near, " or "))
}

// group is an address known to be right.
func group(a, b, c, d byte) netip.Addr { return netip.AddrFrom4([4]byte{a, b, c, d}) }

// documentation is an address of TEST-NET-1 (RFC 5737), for fields that name
// another host.
func documentation() netip.Addr { return group(192, 0, 2, 1) }

// precedence is IPTOS_PREC_INTERNETCONTROL, as routing daemons set it.
const precedence = 0xc0
