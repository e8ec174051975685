// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShares(t *testing.T) {
	cases := []struct {
		kernels, guests int
		want            []int
	}{
		{1, 4, []int{4}},
		{2, 4, []int{2, 2}},
		{3, 4, []int{2, 1, 1}},
		{4, 4, []int{1, 1, 1, 1}},
		{5, 4, []int{1, 1, 1, 1, 4}},
		{6, 4, []int{1, 1, 1, 1, 2, 2}},
		{3, 1, []int{1, 1, 1}},
		{0, 4, []int{}},
	}
	for _, c := range cases {
		if d := cmp.Diff(c.want, shares(c.kernels, c.guests)); d != "" {
			t.Errorf("%d kernels, %d guests: %s", c.kernels, c.guests, d)
		}
	}
}
