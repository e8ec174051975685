// SPDX-License-Identifier: GPL-2.0-only

package traffic

import "time"

// igmpReport is an IGMPv2 membership report (RFC 2236). It goes to the group it
// reports.
func igmpReport() Spec {
	return Spec{
		Name:        "igmp-report",
		About:       "IGMPv2 membership report with the router alert option, as a host joining a group sends it",
		Protocol:    2,
		Destination: group(239, 1, 2, 3),
		TTL:         1,
		TOS:         precedence,
		RouterAlert: true,
		Message:     "report",
		Every:       125 * time.Second,
		data:        igmpReportData,
		encode:      sealAt(2),
	}
}

func igmpReportData(e ends) ([]byte, error) {
	joined := e.dst.As4()
	return append([]byte{0x16, 0, 0, 0}, joined[:]...), nil
}
