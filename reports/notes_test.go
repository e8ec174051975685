// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"strings"
	"testing"

	"skleak/record"
)

func TestExpectedHoldsShareTheirLaw(t *testing.T) {
	held := func(name string, s record.Status, law string) record.Result {
		return record.Result{Scenario: name, Status: s, Verdict: record.Stalled, Expected: "stalled", Law: law, Reason: "why " + name}
	}
	out := written(t, "table", record.Report{Runs: []record.Run{{Results: []record.Result{
		held("hold/a", record.Pass, "the same law"), held("hold/b", record.Pass, "the same law"),
		held("hold/c", record.Fail, "the same law"), held("hold/d", record.Pass, "another law"),
	}}}}, Options{Verbose: true})
	for _, want := range []string{
		"✓ pass  hold/a, hold/b\n  the same law\n\n",
		"✗ fail  hold/c\n  the same law\n  why hold/c\n",
		"✓ pass  hold/d\n  another law\n  why hold/d\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
