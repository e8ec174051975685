// SPDX-License-Identifier: GPL-2.0-only

// Package spelling finds the names that somebody probably meant.
package spelling

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the names of allowed closest to word, best first, at most
// three; none when nothing is near. Long words are cut before they are compared.
func Nearest(word string, allowed []string) []string {
	const longest = 64
	word = strings.ToLower(word[:min(len(word), longest)])
	type near struct {
		name string
		far  int
	}
	var found []near
	for _, name := range allowed {
		far := levenshtein.ComputeDistance(word, name)
		if len(word) >= 3 && strings.Contains(name, word) {
			far = min(far, 1)
		}
		if far <= max(2, len(name)/3) && far < max(len(name), len(word)) {
			found = append(found, near{name, far})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.far - b.far })
	var out []string
	for _, n := range found[:min(len(found), 3)] {
		out = append(out, n.name)
	}
	return out
}
