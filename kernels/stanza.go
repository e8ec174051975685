// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bufio"
	"io"
	"strings"
)

// maxLine bounds one line of apt's formats in bytes.
const maxLine = 4 << 20

// stanza is one paragraph of the deb822 format: names in lower case. Lines of a
// continued value are joined by "\n" without their leading space.
type stanza map[string]string

// readStanzas reads paragraphs of the format apt uses for sources, package
// lists and apt-cache show (deb822(5)). Lines that are none are passed over.
func readStanzas(r io.Reader, each func(stanza)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	current, last := stanza{}, ""
	flush := func() {
		if len(current) > 0 {
			each(current)
		}
		current, last = stanza{}, ""
	}
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		switch {
		case line == "":
			flush()
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if last != "" {
				current[last] += "\n" + strings.TrimLeft(line, " \t")
			}
		default:
			if key, value, found := strings.Cut(line, ":"); found && key != "" {
				last = strings.ToLower(key)
				current[last] = strings.TrimSpace(value)
			}
		}
	}
	flush()
	return lines.Err()
}
