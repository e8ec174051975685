// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"
	"slices"

	"skleak/harness/verdict"
	"skleak/record"
	"skleak/scenarios"
)

// Tally is what many runs of one scenario showed.
type Tally struct {
	Scenario string `json:"scenario"`
	Expected string `json:"expected"`
	Runs     int    `json:"runs"`
	// Verdicts and Holders count runs; a run that held nothing has no holder.
	Verdicts map[record.Verdict]int `json:"verdicts"`
	Holders  map[string]int         `json:"holders"`
	// Trouble counts runs that our own trouble stopped, by its text.
	Trouble map[string]int `json:"trouble"`
	// Skipped is the reason of a scenario this kernel cannot run.
	Skipped string `json:"skipped,omitempty"`

	expect []record.Verdict
}

// Steady reports whether every run ended with a verdict that was expected, and
// always the same holder.
func (t Tally) Steady() bool {
	for v := range t.Verdicts {
		if !slices.Contains(t.expect, v) {
			return false
		}
	}
	return len(t.Trouble) == 0 && len(t.Holders) <= 1
}

// Soak runs list rounds times through r and counts what came out. A fail is not
// tried again here: each is of interest. Round, if not nil, is told of each
// round's end. On an error the tallies have what was done so far.
func Soak(ctx context.Context, r Runner, list []scenarios.Scenario, rounds int, round func(done int)) ([]Tally, error) {
	tallies := make([]Tally, 0, len(list))
	for _, sc := range list {
		tallies = append(tallies, Tally{
			Scenario: sc.Name, Expected: record.JoinVerdicts(sc.Expect), expect: sc.Expect,
			Verdicts: map[record.Verdict]int{}, Holders: map[string]int{}, Trouble: map[string]int{},
		})
	}
	for n := range rounds {
		var todo []scenarios.Scenario
		for i, sc := range list {
			if tallies[i].Skipped == "" {
				todo = append(todo, sc)
			}
		}
		if len(todo) == 0 {
			break
		}
		for e, err := range r.Run(ctx, todo) {
			if err != nil {
				return tallies, err
			}
			i := slices.IndexFunc(list, func(sc scenarios.Scenario) bool { return sc.Name == e.Scenario })
			if i >= 0 && e.Ends() {
				tallies[i].add(list[i], e)
			}
		}
		if round != nil {
			round(n + 1)
		}
	}
	return tallies, nil
}

func (t *Tally) add(sc scenarios.Scenario, e record.Event) {
	if e.Kind == record.EventSkip {
		t.Skipped = e.Text
		return
	}
	t.Runs++
	if e.Kind == record.EventTrouble {
		t.Trouble[e.Text]++
		return
	}
	res := verdict.Result(sc.Name, sc.Expect, sc.Known, *e.Trace)
	if res.Status == record.Error {
		t.Trouble[res.Reason]++
		return
	}
	t.Verdicts[res.Verdict]++
	if res.HeldBytes > 0 {
		t.Holders[res.Holder]++
	}
}
