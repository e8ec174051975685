// SPDX-License-Identifier: GPL-2.0-only

package capture

import (
	"io"
	"testing"
)

func TestHeadAndTail(t *testing.T) {
	for _, c := range []struct {
		name, head, tail string
		writes           []string
	}{
		{name: "nothing"},
		{name: "fits", writes: []string{"ab", "c"}, head: "abc", tail: "abc"},
		{name: "exactly", writes: []string{"abcd"}, head: "abcd", tail: "abcd"},
		{name: "across a write", writes: []string{"abc", "def"}, head: "abcd", tail: "cdef"},
		{name: "one write is too long", writes: []string{"abcdefgh", "i"}, head: "abcd", tail: "fghi"},
	} {
		head, tail := &Head{Limit: 4}, &Tail{Limit: 4}
		for _, text := range c.writes {
			if n, err := io.WriteString(io.MultiWriter(head, tail), text); n != len(text) || err != nil {
				t.Errorf("%s: wrote %d of %q: %v", c.name, n, text, err)
			}
		}
		if head.String() != c.head || tail.String() != c.tail {
			t.Errorf("%s: head %q, tail %q, want %q and %q", c.name, head, tail, c.head, c.tail)
		}
		if c.tail != "" && !tail.Contains(c.tail[1:]) || tail.Contains("x") {
			t.Errorf("%s: the tail %q contains what it does not, or lacks what it has", c.name, tail)
		}
	}
}
