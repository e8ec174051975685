// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"regexp"
	"strings"
)

// Crash is an oops or a panic of the kernel that ran the scenarios.
type Crash struct {
	// Text is what the kernel said first: "BUG: kernel NULL pointer dereference,
	// address: 0000000000000008".
	Text string `json:"text"`
	// Frames are functions, the one that crashed first, then its callers, a few
	// of them; empty where the console tells none.
	Frames []string `json:"frames,omitempty"`
	// Scenario is the one that was under way alone; "" where none can be named.
	Scenario string `json:"scenario,omitempty"`
	// Among are those under way, where there were several.
	Among []string `json:"among,omitempty"`
}

// Fingerprint is the same for the same crash on another kernel or at another
// address.
func (c Crash) Fingerprint() string {
	if len(c.Frames) > 0 {
		return strings.Join(c.Frames, " < ")
	}
	return strings.TrimSpace(regexp.MustCompile(`\b(0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*\b`).ReplaceAllString(c.Text, "N"))
}
