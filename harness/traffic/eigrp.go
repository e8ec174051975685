// SPDX-License-Identifier: GPL-2.0-only

package traffic

import "time"

// eigrpHello is an EIGRP Hello (RFC 7868 6.6) of autonomous system 1 with
// parameters and software version. Its TTL is FRR's.
func eigrpHello() Spec {
	return Spec{
		Name:        "eigrp-hello",
		About:       "EIGRP Hello, as eigrpd sends it every 5 s",
		Protocol:    88,
		Destination: group(224, 0, 0, 10),
		TTL:         1,
		TOS:         precedence,
		Message:     "Hello",
		Every:       5 * time.Second,
		data:        eigrpHelloData,
		encode:      sealAt(2),
	}
}

func eigrpHelloData(ends) ([]byte, error) {
	return []byte{
		2, 5, 0, 0, // version 2, Hello, checksum
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // flags, sequence, acknowledgement
		0, 0, 0, 1, // router, autonomous system
		0, 1, 0, 12, 1, 0, 1, 0, 0, 0, 0, 15, // K1 to K6, hold time in seconds
		0, 4, 0, 8, 12, 4, 1, 2, // versions of system and protocol
	}, nil
}
