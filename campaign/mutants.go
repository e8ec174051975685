// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"
	"slices"

	"skleak/record"
)

// Trial is a mutant's kernel beside the stock one.
type Trial struct {
	Mutant string
	// Uses says whether a scenario uses the module with the bug, and so may
	// deviate.
	Uses     func(scenario string) bool
	Expected []record.Found
	Stock    record.Run
	Run      record.Run
}

// Judge compares the trial with the stock kernel's run. What is as on the
// stock kernel, and need not be otherwise, is left out.
func (t Trial) Judge() []record.Truth {
	stock, mutated := everything(t.Stock), everything(t.Run)
	var table []record.Truth
	for i, e := range t.Expected {
		table = append(table, t.expected(&t.Expected[i], e, stock, mutated))
	}
	for _, res := range mutated {
		if slices.ContainsFunc(t.Expected, func(e record.Found) bool { return e.Scenario == res.Scenario }) {
			continue
		}
		line := t.line(res.Scenario, stock, res)
		if line.Outcome = t.deviation(stock, res); line.Outcome != "" {
			table = append(table, line)
		}
	}
	return table
}

// expected is the line of a scenario that must find the mutant. What the stock
// kernel shows as well is no finding.
func (t Trial) expected(at *record.Found, e record.Found, stock, mutated []record.Result) record.Truth {
	res, ran := find(mutated, e.Scenario)
	before, known := find(stock, e.Scenario)
	line := t.line(e.Scenario, stock, res)
	line.Expected, line.Outcome = at, outcomeOf(e, res, ran)
	switch {
	case !ran:
		line.Reason = "there is no such scenario in this run"
	case line.Outcome != record.OutcomeHit:
	case !known || before.Verdict == "":
		line.Outcome = record.OutcomeTrouble
		line.Reason = "the stock kernel gave no verdict to compare with: " + before.Reason
	case before.Verdict == res.Verdict && before.Holder == res.Holder:
		line.Outcome = record.OutcomeMiss
		line.Reason = fmt.Sprintf("the stock kernel shows the same (%s, %s), so the bug is not what was found", before.Verdict, named(before.Holder))
	}
	return line
}

// named is a holder for a sentence.
func named(holder string) string {
	if holder == "" {
		return "holder " + record.NotKnown
	}
	return holder
}

func (t Trial) line(scenario string, stock []record.Result, res record.Result) record.Truth {
	before, _ := find(stock, scenario)
	return record.Truth{
		Mutant: t.Mutant, Scenario: scenario, Stock: before.Verdict, Verdict: res.Verdict,
		Holder: res.Holder, HolderBy: res.HolderBy, Released: res.ReleasedBy, Held: res.HeldBytes, Ladder: res.Ladder, Reason: res.Reason,
	}
}

// outcomeOf a scenario that must find the mutant.
func outcomeOf(e record.Found, res record.Result, ran bool) record.Outcome {
	switch {
	case !ran, res.Status == record.Skip:
		return record.OutcomeMiss
	case res.Status == record.Error || res.Verdict == "":
		return record.OutcomeTrouble
	case e.Verdict == record.Clean && res.Verdict == record.Clean:
		return record.OutcomeKept
	case e.Verdict == record.Clean:
		return record.OutcomeFalse
	case res.Verdict == e.Verdict && holderAs(e, res.Holder) && packetsAs(e, res):
		return record.OutcomeHit
	case res.Verdict == record.Clean || res.Verdict == record.Refused:
		return record.OutcomeMiss
	}
	return record.OutcomeWrong
}

func holderAs(e record.Found, got string) bool {
	return e.Holder == "" || record.HolderMatches(e.Holder, got)
}

func packetsAs(e record.Found, res record.Result) bool {
	if e.Count == 0 {
		return true
	}
	return res.Truesize > 0 && res.HeldBytes == int64(e.Count)*res.Truesize
}

// Silent says that no scenario that uses the module shows anything the stock
// kernel does not: a reason to look closer.
func (t Trial) Silent() bool {
	stock := everything(t.Stock)
	return !slices.ContainsFunc(everything(t.Run), func(res record.Result) bool {
		return t.deviation(stock, res) == record.OutcomeAlso
	})
}

// deviation says what it means that another scenario shows this; "" is nothing.
func (t Trial) deviation(stock []record.Result, res record.Result) record.Outcome {
	before, ran := find(stock, res.Scenario)
	switch {
	case !ran || res.Status == record.Skip && before.Status == record.Skip:
		return ""
	case res.Status == record.Error || res.Status == record.Skip:
		return record.OutcomeTrouble
	case res.Verdict == before.Verdict, was(res, record.Pass) && was(before, record.Pass):
		// Both may be sound where the catalogue allows more than one.
		return ""
	case t.Uses(res.Scenario):
		return record.OutcomeAlso
	case was(res, record.Pass) || was(res, record.XFail):
		// A defect of the stock kernel that shows only at times.
		return ""
	}
	return record.OutcomeFalse
}

// was says that a result had a status, whatever a broken control made of it.
func was(res record.Result, s record.Status) bool {
	return res.Status == s || len(res.Attempts) > 0 && res.Attempts[0].Status == s
}

// everything is results and controls in one list: a bug may show in either.
func everything(r record.Run) []record.Result { return slices.Concat(r.Controls, r.Results) }

func find(list []record.Result, scenario string) (record.Result, bool) {
	i := slices.IndexFunc(list, func(r record.Result) bool { return r.Scenario == scenario })
	if i < 0 {
		return record.Result{}, false
	}
	return list[i], true
}

// StockTruth is what the stock kernel shows that it should not: every such
// line is a false finding.
func StockTruth(stock record.Run) []record.Truth {
	var table []record.Truth
	for _, res := range everything(stock) {
		line := Trial{Mutant: "(stock)"}.line(res.Scenario, nil, res)
		switch res.Status {
		case record.Fail, record.Broken:
			line.Outcome = record.OutcomeFalse
		case record.Error:
			line.Outcome = record.OutcomeTrouble
		default:
			continue
		}
		table = append(table, line)
	}
	return table
}
