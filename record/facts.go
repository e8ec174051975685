// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"bytes"
	"slices"
	"strings"
)

// Facts are what a reader of a report wants to know of a kernel beside what was
// measured on it. No verdict hangs on them.
type Facts struct {
	// Tainted is /proc/sys/kernel/tainted: bits of TAINT_FLAGS
	// (include/linux/panic.h).
	Tainted uint64 `json:"tainted,omitempty"`
	// Config are lines of the kernel's configuration, those that matter to the
	// scenario.
	Config []string `json:"config,omitempty"`
}

// SentPacket is a packet as its sender saw it go.
type SentPacket struct {
	// Number counts the packets of its socket from 1.
	Number int   `json:"n"`
	AtNs   int64 `json:"t"`
	// Bytes is the charge after it.
	Bytes int64  `json:"b"`
	Link  string `json:"link"`
}

// SentForm is what a socket sends through one link.
type SentForm struct {
	Link string `json:"link"`
	// Ethernet says that Data begins with an Ethernet header, else with that of IP.
	Ethernet bool `json:"ethernet,omitempty"`
	// Length is that of the whole packet in bytes, Data its beginning.
	Length int    `json:"length"`
	Data   []byte `json:"data"`
}

// ConfigLines are the lines of a kernel's configuration that set one of options,
// or say that it is not set, in the order of the file.
func ConfigLines(config []byte, options []string) []string {
	var lines []string
	for line := range bytes.Lines(config) {
		text := strings.TrimSpace(string(line))
		name, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "# "), " is not set"), "=")
		if slices.Contains(options, name) {
			lines = append(lines, text)
		}
	}
	return lines
}
