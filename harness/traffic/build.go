// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"skleak/scenarios"
)

// discardPort is where a UDP socket sends a packet that has no port of its own
// (RFC 863).
const discardPort = 9

// Packet is a packet made for one source and destination. Its slices are shared
// and must not be written to.
type Packet struct {
	Spec                Spec
	Source, Destination netip.Addr

	ip    []byte
	sized bool
}

// Build makes a packet of spec. A zero dst is the spec's own; a zero src is
// 0.0.0.0, which the kernel replaces with the link's (raw_send_hdrinc in
// net/ipv4/raw.c).
//
// size is the length of the IP packet, 0 to 65535, or nil for its own. A longer
// one is padded with zeros inside its checksums. A shorter one of UDP or ICMP
// carries less; any other, and one too short for its headers, is cut off.
// payload replaces what follows the IP header, or the UDP or ICMP header where
// there is one; nil leaves the packet's own.
func Build(spec Spec, src, dst netip.Addr, size *int, payload []byte) (Packet, error) {
	e, err := resolve(spec, src, dst)
	if err != nil {
		return Packet{}, fmt.Errorf("build %s: %w", spec.Name, err)
	}
	if size != nil && (*size < 0 || *size > scenarios.MaxSize) {
		return Packet{}, fmt.Errorf("build %s: a size of %d bytes: give 0 to %d", spec.Name, *size, scenarios.MaxSize)
	}
	body, err := spec.body(e, size, payload)
	if err != nil {
		return Packet{}, fmt.Errorf("build %s: %w", spec.Name, err)
	}
	if size != nil {
		body = body[:min(len(body), max(*size-spec.ipHeader(), 0))]
	}
	ip, err := spec.wrap(e, body)
	if err != nil {
		return Packet{}, fmt.Errorf("build %s: %w", spec.Name, err)
	}
	if size != nil {
		ip = ip[:min(*size, len(ip))]
	}
	return Packet{Spec: spec, Source: e.src, Destination: e.dst, ip: ip, sized: size != nil}, nil
}

func resolve(spec Spec, src, dst netip.Addr) (ends, error) {
	if !dst.IsValid() {
		dst = spec.Destination
	}
	if !dst.IsValid() {
		return ends{}, errors.New("no destination, and the packet has none of its own: name a host in `to`")
	}
	if !src.IsValid() {
		src = netip.IPv4Unspecified()
	}
	src, dst = src.Unmap(), dst.Unmap()
	if !src.Is4() || !dst.Is4() {
		return ends{}, fmt.Errorf("from %s to %s: only IPv4 addresses will do", src, dst)
	}
	return ends{src, dst}, nil
}

// body is what follows the IP header.
func (s Spec) body(e ends, size *int, payload []byte) ([]byte, error) {
	data, own := payload, payload == nil
	if own {
		var err error
		if data, err = s.data(e); err != nil {
			return nil, err
		}
	}
	if size != nil {
		data = s.fit(data, *size)
	}
	if most := scenarios.MaxSize - s.ipHeader() - s.header; len(data) > most {
		return nil, fmt.Errorf("a payload of %d bytes: at most %d fit", len(data), most)
	}
	// A payload given for a packet without a header of its own is the reader's
	// to seal.
	if s.encode != nil && (own || s.header > 0) {
		return s.encode(e, data)
	}
	return data, nil
}

// fit pads data to size. It cuts only what a header of its own describes: the
// other packets have to be whole to be sealed.
func (s Spec) fit(data []byte, size int) []byte {
	room := max(size-s.ipHeader()-s.header, 0)
	data = append(data[:len(data):len(data)], make([]byte, max(room-len(data), 0))...)
	if s.header > 0 {
		return data[:room]
	}
	return data
}

// wrap puts an IP header before body.
func (s Spec) wrap(e ends, body []byte) ([]byte, error) {
	ip := &layers.IPv4{
		Version: 4, IHL: 5, TOS: s.TOS, TTL: s.TTL, Protocol: layers.IPProtocol(s.Protocol),
		SrcIP: e.src.AsSlice(), DstIP: e.dst.AsSlice(),
		// The kernel fills in an id of 0, and what arrives should be what was built.
		Id: 1,
	}
	if s.RouterAlert {
		ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
	}
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	return serialize(opts, ip, gopacket.Payload(body))
}

// IP is the whole packet, for a socket with IP_HDRINCL. Below 20 bytes the
// header itself is cut; the kernel answers EINVAL.
func (p Packet) IP() []byte { return p.ip }

// Body is what follows the IP header, for a raw socket; it may be empty.
func (p Packet) Body() []byte { return p.ip[min(p.Spec.ipHeader(), len(p.ip)):] }

// UDP is the payload for a UDP socket; it may be empty. A packet of another
// protocol gives its body.
func (p Packet) UDP() []byte {
	body := p.Body()
	if p.Spec.UDP() {
		return body[min(udpHeader, len(body)):]
	}
	if p.sized {
		return body[:max(len(body)-udpHeader, 0)]
	}
	return body
}

// Port is where a UDP socket sends: the packet's own port, else that of discard.
func (p Packet) Port() uint16 {
	if p.Spec.UDP() {
		return p.Spec.Port
	}
	return discardPort
}
