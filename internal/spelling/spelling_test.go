// SPDX-License-Identifier: GPL-2.0-only

package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"tun/unread", "tun/read", "tap/unread", "hold/tbf"}
	tests := map[string]string{
		"tun/unraed":               "tun/unread",
		"unread":                   "tun/unread tap/unread tun/read",
		"xyz":                      "",
		"":                         "",
		strings.Repeat("x", 10000): "",
	}
	for word, want := range tests {
		if got := strings.Join(Nearest(word, names), " "); got != want {
			t.Errorf("%.20q: %q, want %q", word, got, want)
		}
	}
}
