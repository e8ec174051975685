// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// through writes text in pieces of n bytes.
func through(text string, n int, styled bool) string {
	var out bytes.Buffer
	w := NewHarmlessWriter(&out, styled)
	for i := 0; i < len(text); i += n {
		_, _ = w.Write([]byte(text[i:min(i+n, len(text))]))
	}
	_ = w.Flush()
	return out.String()
}

func TestHarmlessWriter(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain\ttext ✓ µs ⠋\n", "plain\ttext ✓ µs ⠋\n"},
		{"\x1b]0;owned\x07", `\u001b]0;owned\u0007`},
		{"\x1b[2J\rover", `\u001b[2J\u000dover`},
		{"\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"\u009b2J \x9b2J", `\u009b2J \x9b2J`},
		{"a\u202eb\u2066c\u200bd\u2028e\U000e0041", `a\u202eb\u2066c\u200bd\u2028e\udb40\udc41`},
		{"::error::x\n  ::add-mask::y\n:: z", ":\\u003aerror::x\n  :\\u003aadd-mask::y\n:\\u003a z"},
		{"a ::b std::c", "a ::b std::c"},
		{": :\n:a:\n", ": :\n:a:\n"},
		{"x ##[error]y ##vso[task] # [ ## [", `x ##\u005berror]y ##vso\u005btask] # [ ## [`},
		{"cut \xe2\x9c", `cut \xe2\x9c`},
		{"\x7f\x00", `\u007f\u0000`},
	} {
		for n := 1; n <= len(c.in); n++ {
			got := through(c.in, n, false)
			if got != c.want {
				t.Errorf("%q in pieces of %d: %q, want %q", c.in, n, got, c.want)
			}
		}
	}
}

func TestHarmlessWriterPassesColoursOnly(t *testing.T) {
	in := "\x1b[1;31mred\x1b[0m \x1b[2J \x1b[99999999999999999999999999m \x1b]8;;http://x\x1b\\ \x1b"
	want := "\x1b[1;31mred\x1b[0m \\u001b[2J \\u001b[99999999999999999999999999m \\u001b]8;;http://x\\u001b\\ \\u001b"
	for n := 1; n <= len(in); n++ {
		if got := through(in, n, true); got != want {
			t.Errorf("in pieces of %d: %q\nwant %q", n, got, want)
		}
	}
}

func FuzzHarmlessWriter(f *testing.F) {
	f.Add("\x1b]0;x\x07::error::\u202e\xff##[x]", 3)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(1, min(n, 1000))
		out := through(in, n, false)
		if out != through(in, 1, false) {
			t.Errorf("pieces change the text: %q", out)
		}
		for _, r := range out {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) || r == utf8.RuneError && !strings.ContainsRune(in, utf8.RuneError) {
				t.Errorf("%q passes in %q", r, out)
			}
		}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
				t.Errorf("a command passes: %q", line)
			}
		}
		// JSON means the same.
		data, err := json.MarshalIndent(map[string]string{"a": in}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(through(string(data), n, false)), &got); err != nil || got["a"] != want["a"] {
			t.Errorf("JSON of %q became %q, %v", in, got["a"], err)
		}
	})
}
