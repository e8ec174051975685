// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"testing"
	"time"

	"skleak/record"
	"skleak/scenarios"
)

func catalogued(t *testing.T, name string) scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.Name == name {
			return sc
		}
	}
	t.Fatalf("no scenario %s in the catalogue", name)
	return scenarios.Scenario{}
}

// Which scenario is counted, and how, must not hang on what is expected of it.
func TestCountModeIgnoresExpectations(t *testing.T) {
	for _, name := range []string{"veth/other-netns", "hold/tbf", "nic/e1000-takes", "nic/e1000-hung"} {
		sc := catalogued(t, name)
		mode := CountModeOf(sc)
		sc.Name, sc.Expect, sc.Known = "another", []record.Verdict{record.Held, record.Leaked}, &record.Known{}
		if CountModeOf(sc) != mode {
			t.Errorf("%s: counted by %q, with another expectation by %q", name, mode, CountModeOf(sc))
		}
	}
}

func TestLadderDrift(t *testing.T) {
	began := time.Now()
	l := &ladder{selfRelease: 3 * time.Second, filled: began}
	if d := l.drift(1000, began, 200*time.Millisecond); d != 0 {
		t.Errorf("early rung: drift %d, want 0", d)
	}
	if d := l.drift(1000, began.Add(2600*time.Millisecond), 200*time.Millisecond); d != 1000 {
		t.Errorf("rung at the moment time lets go: drift %d, want all", d)
	}
	slow := &ladder{rate: 1e-6} // 1000 bytes a second
	if d := slow.drift(1000, began, 100*time.Millisecond); d != 100 {
		t.Errorf("slow drain: drift %d, want 100", d)
	}
}
