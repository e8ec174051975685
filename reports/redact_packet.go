// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
)

// Packet is a packet with everything replaced that Text would replace: the
// addresses of its headers, and the same bytes wherever they are behind these, as
// a router's ID is. Checksums that were right stay right. data, which begins with
// an Ethernet or an IP header, is left alone. A nil Redactor gives it back.
func (r *Redactor) Packet(data []byte, ethernet bool) []byte {
	if r == nil {
		return data
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(data)
	ip := out
	if ethernet {
		if len(out) < etherHeader {
			return out
		}
		for _, at := range []int{0, 6} {
			r.hardware(out, slices.Clone(out[at:at+6]))
		}
		if binary.BigEndian.Uint16(out[12:]) != 0x0800 {
			return out
		}
		ip = out[etherHeader:]
	}
	r.version4(ip)
	return out
}

const etherHeader = 14

// hardware replaces a hardware address.
func (r *Redactor) hardware(data, mac []byte) {
	given, err := net.ParseMAC(r.mac(net.HardwareAddr(mac).String()))
	if err == nil && mac[0]&1 == 0 {
		replace(data, mac, given)
	}
}

// replace puts given wherever was is.
func replace(data, was, given []byte) {
	for at := 0; ; at += len(was) {
		i := bytes.Index(data[at:], was)
		if i < 0 {
			return
		}
		at += i
		copy(data[at:], given)
	}
}

// version4 replaces the addresses of an IPv4 packet.
func (r *Redactor) version4(ip []byte) {
	if len(ip) < 20 || ip[0]>>4 != 4 {
		return
	}
	header := int(ip[0]&15) * 4
	if header < 20 || header > len(ip) {
		return
	}
	before, payload := sum(ip[12:20]), sum(ip[header:])
	whole := sum(ip[:header])
	for _, at := range []int{12, 16} {
		was := slices.Clone(ip[at : at+4])
		given, err := netip.ParseAddr(r.four(netip.AddrFrom4([4]byte(was))))
		if err != nil || bytes.Equal(was, given.AsSlice()) {
			continue
		}
		copy(ip[at:], given.AsSlice())
		replace(ip[header:], was, given.AsSlice())
	}
	adjust(ip[10:12], whole, sum(ip[:header]))
	at, pseudo := checksumAt(ip[9], ip[header:])
	if at < 0 || header+at+2 > len(ip) {
		return
	}
	field := ip[header+at : header+at+2]
	now := sum(ip[header:])
	if pseudo {
		payload, now = payload+before, now+sum(ip[12:20])
	}
	adjust(field, payload, now)
}

// checksumAt is where a protocol has its checksum, and whether that covers the
// addresses of the IP header; -1 where none is known, or none is set.
func checksumAt(protocol byte, payload []byte) (at int, pseudo bool) {
	switch protocol {
	case 1, 2, 88, 103: // ICMP, IGMP, EIGRP, PIM
		return 2, false
	case 17: // UDP; 0 is none (RFC 768)
		if len(payload) >= 8 && payload[6] == 0 && payload[7] == 0 {
			return -1, false
		}
		return 6, true
	case 89: // OSPF (RFC 2328, D.4)
		return 12, false
	case 112: // VRRP: version 3 covers the addresses (RFC 5798, 5.2.8)
		return 6, len(payload) > 0 && payload[0]>>4 == 3
	}
	return -1, false
}

// sum is the sum of 16-bit words that RFC 1071 has, not yet folded.
func sum(data []byte) uint64 {
	var n uint64
	for i, b := range data {
		if i%2 == 0 {
			n += uint64(b) << 8
		} else {
			n += uint64(b)
		}
	}
	return n
}

// adjust makes a checksum follow a change of what it covers (RFC 1624). The sums
// hold the field itself, before it is changed.
func adjust(field []byte, before, after uint64) {
	if fold(before) == fold(after) {
		return
	}
	n := uint64(^binary.BigEndian.Uint16(field)) + uint64(^fold(before)) + uint64(fold(after))
	binary.BigEndian.PutUint16(field, ^fold(n))
}

func fold(n uint64) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
