// SPDX-License-Identifier: GPL-2.0-only

package mutants

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrScript says that a semantic patch wants more than to patch. Coccinelle runs
// the Python and OCaml in a patch as the user that applies it, and takes options
// and further files from it.
var ErrScript = errors.New("a semantic patch may only patch")

// checkPatch refuses what would run or read something else. NB: a language's name
// is refused wherever it stands, since a script may hide in a rule's head, in a
// metavariable's constraint, or between comments.
func checkPatch(patch string) error {
	for _, refused := range []struct{ pattern, what string }{
		{`(?i)\b(python|ocaml)`, "a script in another language"},
		{`(?i)\bscript\s*:`, "a script rule"},
		{`(?i)\b(initialize|finalize)\s*:`, "a script rule"},
		{`(?m)^\s*#\s*spatch`, "options for spatch"},
		{`(?m)^\s*(virtual|using)\b`, "a virtual rule or another file"},
		{`\busing\s*"`, "another file"},
		{`(?m)^#\s*include\s*"`, "another file"},
		{`(?m)^\s*#\s*include.*\.cocci`, "another file"},
		{"\x00", "a zero byte"},
	} {
		if at := regexp.MustCompile(refused.pattern).FindStringIndex(patch); at != nil {
			line := 1 + strings.Count(patch[:at[0]], "\n") + strings.Count(strings.TrimRight(patch[at[0]:at[1]], " "), "\n")
			return fmt.Errorf("line %d has %s: %w; take it out", line, refused.what, ErrScript)
		}
	}
	return nil
}
