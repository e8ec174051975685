// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"slices"
	"testing"

	"skleak/record"
)

// TestKept: of many packets the first, those on both sides of the threshold and
// the last are kept, in order and once.
func TestKept(t *testing.T) {
	for name, c := range map[string]struct {
		sent, threshold int
		want            []int
	}{
		"few":             {5, 0, []int{1, 2, 3, 4, 5}},
		"no threshold":    {100, 0, []int{1, 2, 3, 4, 5, 6, 7, 8, 93, 94, 95, 96, 97, 98, 99, 100}},
		"around":          {100, 50, []int{1, 2, 3, 4, 5, 6, 7, 8, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 93, 94, 95, 96, 97, 98, 99, 100}},
		"at the end":      {60, 60, []int{1, 2, 3, 4, 5, 6, 7, 8, 53, 54, 55, 56, 57, 58, 59, 60}},
		"among the first": {12, 3, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
	} {
		k := newKept()
		for n := 1; n <= c.sent; n++ {
			k.note(record.SentPacket{Number: n})
			if n == c.threshold {
				k.threshold()
			}
		}
		var got []int
		for _, p := range k.all() {
			got = append(got, p.Number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: kept %v, want %v", name, got, c.want)
		}
	}
}
