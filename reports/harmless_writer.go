// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"regexp"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// HarmlessWriter stands between all that is printed and a terminal or a log. It
// shows what would act on them instead of passing it: control characters (ESC,
// BEL, CR, C1), characters that turn the direction of text or are not seen,
// bytes that are no UTF-8, and what CI takes for a command at the start of a
// line ("::error::") or within one ("##[error]", "##vso["). They are written as
// JSON writes them (\u001b), so that JSON stays JSON with the same meaning.
//
// It is the last guard, not the only one: within a line names are escaped where
// they are printed, for a line break in a name passes here.
//
// It is safe for use from several goroutines.
type HarmlessWriter struct {
	mu sync.Mutex
	w  io.Writer
	// styled passes colours: who prints with them escapes names itself.
	styled bool
	// rest is the beginning of a character or a colour whose end is to come.
	rest []byte
	// last are the bytes written last.
	last [keptBytes]byte
	// start says that the line has had nothing but space; colon that a colon
	// came after that.
	start, colon bool
}

// NewHarmlessWriter returns one that writes to w; styled passes colours.
func NewHarmlessWriter(w io.Writer, styled bool) *HarmlessWriter {
	return &HarmlessWriter{w: w, styled: styled, start: true}
}

// longestColour bounds a colour in bytes.
const longestColour = 24

// colourPattern is an SGR sequence (ECMA-48, 8.3.117), colourBegins what may
// become one.
func colourPattern() *regexp.Regexp { return regexp.MustCompile(`^\x1b\[[0-9;]*m`) }
func colourBegins() *regexp.Regexp  { return regexp.MustCompile(`^\x1b(\[[0-9;]*)?$`) }

// Write implements io.Writer. It takes all of p, or fails.
func (h *HarmlessWriter) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	in := append(h.rest, p...)
	out := make([]byte, 0, len(in)+len(in)/8)
	for len(in) > 0 && (utf8.FullRune(in)) {
		if h.styled && in[0] == 0x1b {
			if seq := colourPattern().Find(in[:min(len(in), longestColour)]); seq != nil {
				out, in = append(out, seq...), in[len(seq):]
				continue
			}
			if len(in) < longestColour && colourBegins().Match(in) {
				break
			}
		}
		r, n := utf8.DecodeRune(in)
		out = h.put(out, r, in[:n])
		in = in[n:]
	}
	h.rest = append([]byte(nil), in...)
	if _, err := h.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was kept for its end.
func (h *HarmlessWriter) Flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []byte
	for _, b := range h.rest {
		r := rune(b)
		if b >= utf8.RuneSelf {
			r = utf8.RuneError
		}
		out = h.put(out, r, []byte{b})
	}
	h.rest = nil
	_, err := h.w.Write(out)
	return err
}

// put appends one character, shown as what it is if it would act.
func (h *HarmlessWriter) put(out []byte, r rune, raw []byte) []byte {
	switch {
	case r == '\n':
		h.start, h.colon = true, false
	case r == ' ' || r == '\t':
		h.colon = false
	case r == utf8.RuneError && len(raw) == 1:
		return h.shown(out, []byte(fmt.Sprintf(`\x%02x`, raw[0])))
	case !unicode.IsPrint(r), r == ':' && h.colon, r == '[' && h.afterSigns():
		return h.shown(out, escape(r))
	case r == ':' && h.start:
		h.start, h.colon = false, true
	default:
		h.start, h.colon = false, false
	}
	h.note(raw)
	return append(out, raw...)
}

func (h *HarmlessWriter) shown(out, text []byte) []byte {
	h.start, h.colon = false, false
	h.note(text)
	return append(out, text...)
}

// signs are what a "[" would make a command of a runner of GitHub (##[) or
// Azure (##vso[).
func signs() []string { return []string{"##", "##vso"} }

func (h *HarmlessWriter) afterSigns() bool {
	for _, sign := range signs() {
		if string(h.last[keptBytes-len(sign):]) == sign {
			return true
		}
	}
	return false
}

// keptBytes is more than the longest of the signs.
const keptBytes = 8

func (h *HarmlessWriter) note(b []byte) {
	b = b[max(len(b)-keptBytes, 0):]
	copy(h.last[:], h.last[len(b):])
	copy(h.last[keptBytes-len(b):], b)
}

// escape is a character as JSON has it: above U+FFFF in two parts.
func escape(r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return []byte(fmt.Sprintf(`\u%04x\u%04x`, high, low))
	}
	return []byte(fmt.Sprintf(`\u%04x`, r))
}

// Harmless makes a name or a text of foreign origin one line that can stand in
// a row of a table.
func Harmless(s string) string { return harmless(s, false) }
