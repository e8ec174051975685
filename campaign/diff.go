package campaign

import (
	"fmt"

	"skleak/record"
)

// ChangeKind says what became of a result.
type ChangeKind string

// The kinds of change.
const (
	ChangeNew     ChangeKind = "new"
	ChangeGone    ChangeKind = "gone"
	ChangeVerdict ChangeKind = "verdict changed"
	ChangeStatus  ChangeKind = "status changed"
	ChangeHeld    ChangeKind = "held bytes changed"
)

// Change is a difference between two reports.
type Change struct {
	Kernel   string     `json:"kernel"`
	Scenario string     `json:"scenario"`
	Kind     ChangeKind `json:"change"`
	Before   string     `json:"before"`
	After    string     `json:"after"`
}

// heldShare is how far held bytes may move without being a change: the last
// packet or two depend on timing.
const heldShare = 0.05

// Diff compares two reports, a baseline and another. Runs belong together by
// their kernel's source; where each report has but one, those do.
func Diff(a, b record.Report) []Change {
	changes := []Change{}
	used := map[int]bool{}
	for _, before := range a.Runs {
		i := partner(a, b, before)
		if i < 0 {
			changes = append(changes, Change{Kernel: kernelName(before), Kind: ChangeGone, Before: fmt.Sprintf("%d results", len(before.Results))})
			continue
		}
		used[i] = true
		changes = append(changes, diffRuns(before, b.Runs[i])...)
	}
	for i, after := range b.Runs {
		if !used[i] {
			changes = append(changes, Change{Kernel: kernelName(after), Kind: ChangeNew, After: fmt.Sprintf("%d results", len(after.Results))})
		}
	}
	return changes
}

func kernelName(run record.Run) string {
	if run.Kernel.Source == "" || run.Kernel.Source == "host" {
		return run.Kernel.Release
	}
	return run.Kernel.Source
}

// partner finds the run of b that belongs to before; -1 if there is none.
func partner(a, b record.Report, before record.Run) int {
	if len(a.Runs) == 1 && len(b.Runs) == 1 {
		return 0
	}
	for i, after := range b.Runs {
		if kernelName(after) == kernelName(before) {
			return i
		}
	}
	return -1
}

func diffRuns(before, after record.Run) []Change {
	var changes []Change
	was := map[string]record.Result{}
	for _, r := range before.Results {
		was[r.Scenario] = r
	}
	is := map[string]bool{}
	name := kernelName(after)
	for _, r := range after.Results {
		is[r.Scenario] = true
		old, there := was[r.Scenario]
		if !there {
			changes = append(changes, Change{name, r.Scenario, ChangeNew, "", outcome(r)})
		} else if c, differs := diffResults(old, r); differs {
			c.Kernel, c.Scenario = name, r.Scenario
			changes = append(changes, c)
		}
	}
	for _, r := range before.Results {
		if !is[r.Scenario] {
			changes = append(changes, Change{name, r.Scenario, ChangeGone, outcome(r), ""})
		}
	}
	return changes
}

func outcome(r record.Result) string {
	if r.Verdict == "" {
		return string(r.Status)
	}
	return fmt.Sprintf("%s (%s)", r.Verdict, r.Status)
}

func diffResults(a, b record.Result) (Change, bool) {
	c := Change{Before: outcome(a), After: outcome(b)}
	switch {
	case a.Verdict != b.Verdict:
		c.Kind = ChangeVerdict
	case a.Status != b.Status:
		c.Kind = ChangeStatus
	case heldDiffers(a, b):
		c.Kind = ChangeHeld
		c.Before, c.After = fmt.Sprintf("%d bytes", a.HeldBytes), fmt.Sprintf("%d bytes", b.HeldBytes)
	default:
		return c, false
	}
	return c, true
}

func heldDiffers(a, b record.Result) bool {
	most := max(a.HeldBytes, b.HeldBytes)
	apart := most - min(a.HeldBytes, b.HeldBytes)
	return apart > max(a.Truesize, b.Truesize) && float64(apart) > heldShare*float64(most)
}
