// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const udpHeader = 8

// sealUDP gives an encoder that puts a UDP header before data. Without a source
// address there is no pseudo-header to sum, so the checksum stays 0: none.
func sealUDP(from, to uint16) func(ends, []byte) ([]byte, error) {
	return func(e ends, data []byte) ([]byte, error) {
		udp := &layers.UDP{SrcPort: layers.UDPPort(from), DstPort: layers.UDPPort(to)}
		if err := udp.SetNetworkLayerForChecksum(addressed(e)); err != nil {
			return nil, err
		}
		opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: !e.src.IsUnspecified()}
		return serialize(opts, udp, gopacket.Payload(data))
	}
}

func addressed(e ends) *layers.IPv4 {
	return &layers.IPv4{SrcIP: e.src.AsSlice(), DstIP: e.dst.AsSlice(), Protocol: layers.IPProtocolUDP}
}

func serialize(opts gopacket.SerializeOptions, stack ...gopacket.SerializableLayer) ([]byte, error) {
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, opts, stack...); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
