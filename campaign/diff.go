// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"
	"strings"

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
	ChangeHolder  ChangeKind = "holder changed"
	ChangeRelease ChangeKind = "released by another"
	ChangeLaw     ChangeKind = "law changed"
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
			changes = append(changes, Change{Kernel: before.Kernel.Name(), Kind: ChangeGone, Before: fmt.Sprintf("%d results", len(before.Results))})
			continue
		}
		used[i] = true
		changes = append(changes, diffRuns(before, b.Runs[i])...)
	}
	for i, after := range b.Runs {
		if !used[i] {
			changes = append(changes, Change{Kernel: after.Kernel.Name(), Kind: ChangeNew, After: fmt.Sprintf("%d results", len(after.Results))})
		}
	}
	return changes
}

// partner finds the run of b that belongs to before; -1 if there is none.
func partner(a, b record.Report, before record.Run) int {
	if len(a.Runs) == 1 && len(b.Runs) == 1 {
		return 0
	}
	for i, after := range b.Runs {
		if after.Kernel.Name() == before.Kernel.Name() {
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
	name := after.Kernel.Name()
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
	case a.Holder != b.Holder:
		c.Kind, c.Before, c.After = ChangeHolder, a.Holder, b.Holder
	case a.ReleasedBy != b.ReleasedBy:
		c.Kind, c.Before, c.After = ChangeRelease, a.ReleasedBy, b.ReleasedBy
	case lawForm(a.Law) != lawForm(b.Law):
		c.Kind, c.Before, c.After = ChangeLaw, a.Law, b.Law
	case heldDiffers(a, b):
		c.Kind = ChangeHeld
		c.Before, c.After = fmt.Sprintf("%d bytes", a.HeldBytes), fmt.Sprintf("%d bytes", b.HeldBytes)
	default:
		return c, false
	}
	return c, true
}

// lawForm is a law without its figures, which differ between any two runs.
func lawForm(law string) string {
	var words []string
	for _, word := range strings.Fields(law) {
		if !strings.ContainsAny(word, "0123456789") && !isUnit(word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// isUnit tells the words that go with a figure and change with its size.
func isUnit(word string) bool {
	switch strings.TrimRight(word, ".,;:") {
	case "ns", "µs", "ms", "s", "min", "h", "day", "days", "year", "years", "packet", "packets", "byte", "bytes":
		return true
	}
	return false
}

func heldDiffers(a, b record.Result) bool {
	most := max(a.HeldBytes, b.HeldBytes)
	apart := most - min(a.HeldBytes, b.HeldBytes)
	return apart > max(a.Truesize, b.Truesize) && float64(apart) > heldShare*float64(most)
}
