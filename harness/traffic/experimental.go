// SPDX-License-Identifier: GPL-2.0-only

package traffic

// experimental is a packet nobody listens for: protocol 253 (RFC 3692) to an
// unassigned group of the local control block.
func experimental() Spec {
	return Spec{
		Name:        "experimental",
		About:       "protocol 253 to a group nobody joins: what a link does with a stranger",
		Protocol:    253,
		Destination: group(224, 0, 0, 254),
		TTL:         1,
		data:        experimentalData,
	}
}

func experimentalData(ends) ([]byte, error) { return []byte("skleak experimental packet"), nil }
