// SPDX-License-Identifier: GPL-2.0-only

package traffic

import "time"

// vrrp is a VRRPv2 advertisement of one address (RFC 3768 5.1).
func vrrp() Spec {
	return Spec{
		Name:        "vrrp",
		About:       "VRRPv2 advertisement, as keepalived sends it every second",
		Protocol:    112,
		Destination: group(224, 0, 0, 18),
		TTL:         255,
		TOS:         precedence,
		Message:     "advertisement",
		Every:       time.Second,
		data:        vrrpData,
		encode:      sealAt(6),
	}
}

func vrrpData(ends) ([]byte, error) {
	virtual := documentation().As4()
	b := []byte{
		0x21, 51, 100, 1, // version 2 advertisement, router 51, priority 100, one address
		0, 1, 0, 0, // no authentication, each second, checksum
	}
	b = append(b, virtual[:]...)
	return append(b, make([]byte, 8)...), nil
}
