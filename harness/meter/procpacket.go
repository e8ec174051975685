// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"fmt"
	"io"
	"strings"
)

// PacketLine is one socket of /proc/net/packet (net/packet/af_packet.c,
// packet_seq_show). The file tells what waits to be read, not what was sent.
type PacketLine struct {
	// Type is SOCK_RAW or SOCK_DGRAM; Proto the EtherType.
	Type  uint16
	Proto uint16
	// Ifindex is the link it is bound to; 0 for all.
	Ifindex int
	Running bool
	// Rmem is the bytes that wait to be read.
	Rmem  uint32
	UID   uint32
	Inode uint64
}

// ParseProcPacket reads /proc/net/packet. What cannot be read is an error that
// gives the line's number; the other lines are returned beside it.
func ParseProcPacket(r io.Reader) ([]PacketLine, error) {
	var lines []PacketLine
	err := eachLine(r, func(text string) error {
		line, err := parsePacketLine(text)
		if err == nil {
			lines = append(lines, line)
		}
		return err
	})
	return lines, err
}

func parsePacketLine(text string) (PacketLine, error) {
	f := strings.Fields(text)
	if len(f) < 9 {
		return PacketLine{}, fmt.Errorf("%d fields, 9 are needed", len(f))
	}
	var p fieldParser
	line := PacketLine{
		Type:    uint16(p.number(f[2], 10, 16)),
		Proto:   uint16(p.number(f[3], 16, 16)),
		Ifindex: int(p.number(f[4], 10, 31)),
		Running: p.number(f[5], 10, 31) != 0,
		Rmem:    uint32(p.number(f[6], 10, 32)),
		UID:     uint32(p.number(f[7], 10, 32)),
		Inode:   p.number(f[8], 10, 64),
	}
	return line, p.err
}
