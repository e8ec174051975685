// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// RawLine is one socket of /proc/net/raw, raw6, udp or udp6, which share a
// format (net/ipv4/raw.c raw_sock_seq_show, net/ipv4/udp.c udp4_format_sock).
type RawLine struct {
	Slot int
	// Local is the address in hex as the file has it. LocalPort is the IP
	// protocol of a raw socket, the port of a UDP one.
	Local     string
	LocalPort uint16
	State     uint8
	// TxQueue is the charge, RxQueue what waits to be read; bytes.
	TxQueue uint32
	RxQueue uint32
	UID     uint32
	Inode   uint64
	Drops   uint64
}

const (
	// maxProcLine bounds one line of a file under /proc/net, in bytes.
	maxProcLine = 64 << 10
	// maxOddLines bounds how many lines that cannot be read are told.
	maxOddLines = 16
)

// ParseProcRaw reads /proc/net/raw, raw6, udp or udp6. What cannot be read is
// an error that gives the line's number, and after 16 of them reading ends; the
// lines that could be read are returned beside it.
func ParseProcRaw(r io.Reader) ([]RawLine, error) {
	var lines []RawLine
	err := eachLine(r, func(text string) error {
		line, err := parseRawLine(text)
		if err == nil {
			lines = append(lines, line)
		}
		return err
	})
	return lines, err
}

// eachLine calls f with every line but the first, a heading, and the empty ones.
func eachLine(r io.Reader, f func(string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxProcLine)
	var errs []error
	for n := 1; len(errs) < maxOddLines && s.Scan(); n++ {
		if n == 1 || strings.TrimSpace(s.Text()) == "" {
			continue
		}
		if err := f(s.Text()); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
		}
	}
	return errors.Join(append(errs, s.Err())...)
}

func parseRawLine(text string) (RawLine, error) {
	f := strings.Fields(text)
	if len(f) < 10 {
		return RawLine{}, fmt.Errorf("%d fields, at least 10 are needed", len(f))
	}
	var p fieldParser
	local, port := p.cut(f[1])
	tx, rx := p.cut(f[4])
	line := RawLine{
		Slot:      int(p.number(strings.TrimSuffix(f[0], ":"), 10, 31)),
		Local:     local,
		LocalPort: uint16(p.number(port, 16, 16)),
		State:     uint8(p.number(f[3], 16, 8)),
		TxQueue:   uint32(p.number(tx, 16, 32)),
		RxQueue:   uint32(p.number(rx, 16, 32)),
		UID:       uint32(p.number(f[7], 10, 32)),
		Inode:     p.number(f[9], 10, 64),
	}
	if len(f) > 12 {
		line.Drops = p.number(f[12], 10, 64)
	}
	return line, p.err
}

// fieldParser keeps the first error of several fields.
type fieldParser struct{ err error }

func (p *fieldParser) number(s string, base, bits int) uint64 {
	v, err := strconv.ParseUint(s, base, bits)
	if err != nil && p.err == nil {
		p.err = err
	}
	return v
}

func (p *fieldParser) cut(s string) (before, after string) {
	before, after, ok := strings.Cut(s, ":")
	if !ok && p.err == nil {
		p.err = fmt.Errorf("no colon in %q", s)
	}
	return before, after
}

// findInode looks a socket up in the files of the calling thread's namespace.
// Lines that cannot be read are passed over.
func findInode(inode uint64) (way string, line RawLine, found bool) {
	files := []struct{ name, way string }{
		{"raw", WayProcRaw}, {"raw6", WayProcRaw}, {"udp", WayProcUDP}, {"udp6", WayProcUDP},
	}
	for _, file := range files {
		if line, ok := findIn("/proc/thread-self/net/"+file.name, inode); ok {
			return file.way, line, true
		}
	}
	return "", RawLine{}, false
}

func findIn(path string, inode uint64) (RawLine, bool) {
	f, err := os.Open(path)
	if err != nil {
		return RawLine{}, false
	}
	lines, _ := ParseProcRaw(f)
	if err := f.Close(); err != nil {
		return RawLine{}, false
	}
	for _, line := range lines {
		if line.Inode == inode {
			return line, true
		}
	}
	return RawLine{}, false
}
