// SPDX-License-Identifier: GPL-2.0-only

package traffic

import "time"

// pimHello is a PIMv2 Hello (RFC 7761 4.9.2) with hold time, priority and
// generation id.
func pimHello() Spec {
	return Spec{
		Name:        "pim-hello",
		About:       "PIMv2 Hello, as pimd sends it every 30 s",
		Protocol:    103,
		Destination: group(224, 0, 0, 13),
		TTL:         1,
		TOS:         precedence,
		Message:     "Hello",
		Every:       30 * time.Second,
		data:        pimHelloData,
		encode:      sealAt(2),
	}
}

func pimHelloData(ends) ([]byte, error) {
	return []byte{
		0x20, 0, 0, 0,
		0, 1, 0, 2, 0, 105, // hold time in seconds
		0, 19, 0, 4, 0, 0, 0, 1, // priority to be designated router
		0, 20, 0, 4, 0x5b, 0x1e, 0xa4, 0x01, // generation id, any number
	}, nil
}
