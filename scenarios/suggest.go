// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"strings"

	"skleak/internal/spelling"
)

// suggest says what to write instead of word.
func suggest(word string, allowed []string) string {
	switch near := spelling.Nearest(word, allowed); {
	case len(allowed) == 0:
		return "leave it out"
	case len(near) > 0:
		return fmt.Sprintf("did you mean %s?", strings.Join(near, ", "))
	default:
		return "write one of " + strings.Join(allowed, ", ")
	}
}
