// SPDX-License-Identifier: GPL-2.0-only

package traffic

import "time"

// rip is a RIPv2 response with one route (RFC 2453 4).
func rip() Spec {
	const port = 520
	return Spec{
		Name:        "rip",
		About:       "RIPv2 response with one route over UDP, as ripd sends it every 30 s",
		Protocol:    17,
		Destination: group(224, 0, 0, 9),
		SourcePort:  port,
		Port:        port,
		TTL:         1,
		TOS:         precedence,
		Message:     "update",
		Every:       30 * time.Second,
		data:        ripData,
		encode:      sealUDP(port, port),
		header:      udpHeader,
	}
}

func ripData(ends) ([]byte, error) {
	return []byte{
		2, 2, 0, 0, // response, version 2
		0, 2, 0, 0, // an IPv4 route without a tag
		192, 0, 2, 0,
		255, 255, 255, 0,
		0, 0, 0, 0, // next hop: the sender
		0, 0, 0, 1, // metric
	}, nil
}
