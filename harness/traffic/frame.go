// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"fmt"
	"net"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const ethernetHeader = 14

// Frame is what a packet socket sends on a link: an Ethernet frame, or the bare
// IP packet where the link has no such header. It is not padded to 60 bytes, so
// that short ones stay short.
func (p Packet) Frame(t Target) ([]byte, error) {
	if !t.ethernet() {
		return p.ip, nil
	}
	own := t.HardwareAddr
	if len(own) != 6 {
		own = make(net.HardwareAddr, 6)
	}
	eth := &layers.Ethernet{SrcMAC: own, DstMAC: t.linkDestination(p.Destination), EthernetType: layers.EthernetTypeIPv4}
	b, err := serialize(gopacket.SerializeOptions{}, eth, gopacket.Payload(p.ip))
	if err != nil {
		return nil, fmt.Errorf("frame %s for %s: %w", p.Spec.Name, t.Link, err)
	}
	return b[:ethernetHeader+len(p.ip)], nil
}
