// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// mdns is a query for all services (RFC 6762, RFC 6763 9).
func mdns() Spec {
	const port = 5353
	return Spec{
		Name:        "mdns",
		About:       "multicast DNS query for all services, as avahi sends it",
		Protocol:    17,
		Destination: group(224, 0, 0, 251),
		SourcePort:  port,
		Port:        port,
		TTL:         255,
		data:        mdnsData,
		encode:      sealUDP(port, port),
		header:      udpHeader,
	}
}

func mdnsData(ends) ([]byte, error) {
	return serialize(gopacket.SerializeOptions{FixLengths: true}, &layers.DNS{
		QDCount: 1,
		Questions: []layers.DNSQuestion{{
			Name:  []byte("_services._dns-sd._udp.local"),
			Type:  layers.DNSTypePTR,
			Class: layers.DNSClassIN,
		}},
	})
}
