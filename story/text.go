// SPDX-License-Identifier: GPL-2.0-only

package story

import (
	"fmt"
	"io"
	"strings"
)

// Write tells the story in a few lines.
func (s *Story) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s on %s\n", s.Variant, s.Daemon, s.Kernel)
	for _, c := range s.Claims {
		mark := "  holds "
		if !c.Holds {
			mark = "  FAILS "
		}
		fmt.Fprintf(&b, "%s %s\n", mark, c.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
