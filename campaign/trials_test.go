// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"
	"testing"

	"skleak/scenarios"
)

func TestSharesCoverAll(t *testing.T) {
	var rest []scenarios.Scenario
	for i := range 101 {
		rest = append(rest, scenarios.Scenario{Name: fmt.Sprintf("a/%d", i)})
	}
	for _, test := range []struct{ mutants, least int }{{1, 8}, {4, 8}, {40, 4}, {200, 4}} {
		seen := map[string]bool{}
		for i := range test.mutants {
			one := evenShare(rest, i, test.mutants)
			if len(one) < test.least {
				t.Errorf("%d of %d: %d scenarios", i, test.mutants, len(one))
			}
			for _, sc := range one {
				seen[sc.Name] = true
			}
		}
		if test.mutants >= 40 && len(seen) != len(rest) {
			t.Errorf("%d mutants run %d of %d", test.mutants, len(seen), len(rest))
		}
	}
	if got := evenShare(rest[:2], 0, 1); len(got) != 2 {
		t.Errorf("of two scenarios %d", len(got))
	}
}
