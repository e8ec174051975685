// SPDX-License-Identifier: GPL-2.0-only

package scenarios_test

import (
	"slices"
	"testing"

	"skleak/record"
	"skleak/scenarios"
)

// What the catalogue expects to hold is what runs later in a guest: a guess that
// is wrong costs a second beginning.
func TestMayWaitGuessesTheCatalogue(t *testing.T) {
	list, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	idle := 0
	for _, s := range list {
		holds := slices.ContainsFunc(s.Expect, func(v record.Verdict) bool {
			return v == record.Held || v == record.Stalled
		})
		// A full queue refuses, and holds beside that.
		refuses := slices.Contains(s.Expect, record.Refused)
		switch {
		case holds && !slices.Contains(s.Expect, record.Clean) && !s.MayWait():
			t.Errorf("%s holds, and was not guessed to", s.Name)
		case !holds && !refuses && s.MayWait():
			t.Logf("%s holds nothing, and was guessed to", s.Name)
			idle++
		}
	}
	if idle > len(list)/10 {
		t.Errorf("%d of %d were guessed to hold for nothing", idle, len(list))
	}
}

// The guess, and with it the order of runs, must not hang on what is expected.
func TestMayWaitIgnoresExpectations(t *testing.T) {
	list, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		before := s.MayWait()
		s.Name, s.Expect, s.Known = "another", []record.Verdict{record.Leaked}, &record.Known{}
		if s.MayWait() != before {
			t.Errorf("the guess hangs on name or expectations: %+v", s)
		}
	}
}
