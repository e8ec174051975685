// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// harmless makes text of foreign origin (names in files, kernel log lines)
// safe to print: one line, no terminal sequences, no invisible or
// direction-turning characters. What is not printable is shown escaped.
func harmless(s string, ascii bool) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, string(unicode.ReplacementChar)) {
		switch {
		case r == unicode.ReplacementChar && ascii:
			b.WriteByte('?')
		case unicode.IsPrint(r) && (!ascii || r < utf8.RuneSelf):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// bytesText is a count of bytes for people: "208.0 KiB".
func bytesText(n int64) string {
	const kib = 1024
	switch {
	case n < 0:
		return strconv.FormatInt(n, 10)
	case n < 10*kib:
		return fmt.Sprintf("%d B", n)
	case n < 10*kib*kib:
		return fmt.Sprintf("%.1f KiB", float64(n)/kib)
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(kib*kib))
	}
}
