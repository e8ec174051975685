// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"encoding/binary"
	"time"

	"github.com/gopacket/gopacket"
)

// ospfHello is an OSPFv2 Hello with one neighbour (RFC 2328 A.3.2), area 0,
// no authentication: what silenced ospfd in 2012.
func ospfHello() Spec {
	return Spec{
		Name:        "ospf-hello",
		About:       "OSPFv2 Hello with one neighbour, as ospfd and BIRD send it every 10 s",
		Protocol:    89,
		Destination: group(224, 0, 0, 5),
		TTL:         1,
		TOS:         precedence,
		Message:     "Hello",
		Every:       10 * time.Second,
		data:        ospfHelloData,
		encode:      sealOSPF,
	}
}

func ospfHelloData(e ends) ([]byte, error) {
	const length = 48
	router, neighbour := e.src.As4(), documentation().As4()
	b := append(make([]byte, 0, length), 2, 1, 0, length)
	b = append(b, router[:]...)
	b = append(b, make([]byte, 16)...) // area, checksum, authentication type and data
	b = append(b, 255, 255, 255, 0)
	b = append(b, 0, 10, 0x02, 1) // 10 s, E-bit, priority 1
	b = binary.BigEndian.AppendUint32(b, 40)
	b = append(b, make([]byte, 8)...) // no designated routers yet
	return append(b, neighbour[:]...), nil
}

// sealOSPF sums what the length field covers, less the authentication data
// (RFC 2328 D.4.1).
func sealOSPF(_ ends, b []byte) ([]byte, error) {
	n := binary.BigEndian.Uint16(b[2:])
	summed := append(append([]byte(nil), b[:16]...), b[24:n]...)
	binary.BigEndian.PutUint16(b[12:], internetChecksum(summed))
	return b, nil
}

// internetChecksum is that of RFC 1071.
func internetChecksum(b []byte) uint16 {
	return gopacket.FoldChecksum(gopacket.ComputeChecksum(b, 0))
}

// sealAt gives an encoder that sums the whole message and puts the result at an
// offset, where zeros were.
func sealAt(offset int) func(ends, []byte) ([]byte, error) {
	return func(_ ends, b []byte) ([]byte, error) {
		binary.BigEndian.PutUint16(b[offset:], internetChecksum(b))
		return b, nil
	}
}
