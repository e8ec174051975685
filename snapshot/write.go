// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"skleak/scenarios"
)

// maxLine bounds a line of remarks in characters.
const maxLine = 400

// Write writes the file that `skleak run` takes, with all remarks in front. A
// Snapshot without a scenario, or with more than a file may have, is an error.
func (s Snapshot) Write(w io.Writer) error {
	if len(s.Scenarios) == 0 {
		return errors.New("there is no link to send through: " + firstOf(strings.Join(s.Left, "; "), "none was named that is there"))
	}
	var file bytes.Buffer
	comment := func(text string) { fmt.Fprintf(&file, "# %.*s\n", maxLine, printable(text)) }
	item := func(text string) { fmt.Fprintf(&file, "# - %.*s\n", maxLine, printable(text)) }
	comment("A scenario for each link that can send, with what that link is built of.")
	if s.Kernel != "" {
		comment("Taken on kernel " + s.Kernel + ".")
	}
	for _, part := range []struct {
		title string
		lines []string
	}{
		{"Not said here, or said otherwise:", s.Remarks},
		{"No scenario sends through:", s.Left},
	} {
		if len(part.lines) == 0 {
			continue
		}
		file.WriteString("#\n")
		comment(part.title)
		for _, line := range part.lines {
			item(line)
		}
	}
	if err := scenarios.Encode(&file, s.Scenarios); err != nil {
		return err
	}
	if file.Len() > scenarios.MaxFileBytes {
		return fmt.Errorf("the file would be %d bytes long, and %d are the most; name some of the links", file.Len(), scenarios.MaxFileBytes)
	}
	if _, err := w.Write(file.Bytes()); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}
