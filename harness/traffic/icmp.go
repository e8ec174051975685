// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const icmpHeader = 8

// icmpEcho is a ping to one host. It has no destination of its own.
func icmpEcho() Spec {
	return echo("icmp-echo", "ICMP echo request to one host, as ping sends it", netip.Addr{}, 64)
}

// icmpEchoMulticast is a ping to all hosts, the control that did not leak in 2012.
func icmpEchoMulticast() Spec {
	return echo("icmp-echo-multicast", "ICMP echo request to all hosts: the control that did not leak in 2012", group(224, 0, 0, 1), 1)
}

func echo(name, about string, dst netip.Addr, ttl uint8) Spec {
	return Spec{
		Name:        name,
		About:       about,
		Protocol:    1,
		Destination: dst,
		TTL:         ttl,
		Message:     "ping",
		Every:       time.Second,
		data:        echoData,
		encode:      sealEcho,
		header:      icmpHeader,
	}
}

// echoData is 56 bytes, ping's own length.
func echoData(ends) ([]byte, error) {
	b := make([]byte, 56)
	for i := range b {
		b[i] = byte(i)
	}
	return b, nil
}

func sealEcho(_ ends, data []byte) ([]byte, error) {
	icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: 1, Seq: 1}
	return serialize(gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, icmp, gopacket.Payload(data))
}
