package campaign

import (
	"fmt"
	"slices"

	"skleak/record"
)

// Expected is a scenario that must find a mutant, and how. One that must stay
// clean though it uses the module is expected too.
type Expected struct {
	Scenario string         `json:"scenario"`
	Verdict  record.Verdict `json:"verdict"`
	// Holder is a pattern of path.Match for Result.Holder; "" takes any, and
	// record.NotKnown is met by a result that names nobody, too.
	Holder string `json:"holder,omitempty"`
	// Packets is how many must be held at the end of settling; 0 for any number.
	Packets int `json:"count,omitempty"`
}

// Trial is a mutant's kernel beside the stock one.
type Trial struct {
	Mutant string
	// Uses says whether a scenario uses the module with the bug, and so may
	// deviate.
	Uses     func(scenario string) bool
	Expected []Expected
	Stock    record.Run
	Run      record.Run
}

// Outcome says what came of one scenario on a mutant's kernel.
type Outcome string

// The outcomes.
const (
	// Hit: found as it must be.
	Hit Outcome = "found"
	// Kept: clean, as the mutant says it must stay.
	Kept Outcome = "clean"
	// Miss: not found, though it must be.
	Miss Outcome = "missed"
	// Wrong: seen, but with another verdict, holder or amount.
	Wrong Outcome = "wrong"
	// Also: another scenario that uses the module deviates from stock.
	Also Outcome = "also"
	// False: a scenario that does not use the module deviates from stock, or one
	// that must stay clean does not.
	False Outcome = "false"
	// Trouble: it could not be run or judged.
	Trouble Outcome = "trouble"
)

// Truth is a line of the truth table.
type Truth struct {
	Mutant   string  `json:"mutant"`
	Scenario string  `json:"scenario"`
	Outcome  Outcome `json:"outcome"`
	// Expected is nil unless the scenario must find the mutant.
	Expected *Expected `json:"expected"`
	// Stock is the verdict on the stock kernel; "" where it was not run.
	Stock   record.Verdict `json:"stock"`
	Verdict record.Verdict `json:"verdict"`
	Holder  string         `json:"holder"`
	// HolderBy is Result.HolderBy: it stands where a ledger was kept.
	HolderBy string `json:"holder_by,omitempty"`
	// Released is the rung that let go.
	Released string              `json:"released_by"`
	Held     int64               `json:"held_bytes"`
	Ladder   []record.LadderStep `json:"ladder"`
	Reason   string              `json:"reason"`
}

// Judge compares the trial with the stock kernel's run. What is as on the
// stock kernel, and need not be otherwise, is left out.
func (t Trial) Judge() []Truth {
	stock, mutated := everything(t.Stock), everything(t.Run)
	var table []Truth
	for i, e := range t.Expected {
		table = append(table, t.expected(&t.Expected[i], e, stock, mutated))
	}
	for _, res := range mutated {
		if slices.ContainsFunc(t.Expected, func(e Expected) bool { return e.Scenario == res.Scenario }) {
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
func (t Trial) expected(at *Expected, e Expected, stock, mutated []record.Result) Truth {
	res, ran := find(mutated, e.Scenario)
	before, known := find(stock, e.Scenario)
	line := t.line(e.Scenario, stock, res)
	line.Expected, line.Outcome = at, e.outcome(res, ran)
	switch {
	case !ran:
		line.Reason = "there is no such scenario in this run"
	case line.Outcome != Hit:
	case !known || before.Verdict == "":
		line.Outcome = Trouble
		line.Reason = "the stock kernel gave no verdict to compare with: " + before.Reason
	case before.Verdict == res.Verdict && before.Holder == res.Holder:
		line.Outcome = Miss
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

func (t Trial) line(scenario string, stock []record.Result, res record.Result) Truth {
	before, _ := find(stock, scenario)
	return Truth{
		Mutant: t.Mutant, Scenario: scenario, Stock: before.Verdict, Verdict: res.Verdict,
		Holder: res.Holder, HolderBy: res.HolderBy, Released: res.ReleasedBy, Held: res.HeldBytes, Ladder: res.Ladder, Reason: res.Reason,
	}
}

// outcome of a scenario that must find the mutant.
func (e Expected) outcome(res record.Result, ran bool) Outcome {
	switch {
	case !ran, res.Status == record.Skip:
		return Miss
	case res.Status == record.Error || res.Verdict == "":
		return Trouble
	case e.Verdict == record.Clean && res.Verdict == record.Clean:
		return Kept
	case e.Verdict == record.Clean:
		return False
	case res.Verdict == e.Verdict && e.holder(res.Holder) && e.packets(res):
		return Hit
	case res.Verdict == record.Clean || res.Verdict == record.Refused:
		return Miss
	}
	return Wrong
}

func (e Expected) holder(got string) bool {
	return e.Holder == "" || record.HolderMatches(e.Holder, got)
}

func (e Expected) packets(res record.Result) bool {
	if e.Packets == 0 {
		return true
	}
	return res.Truesize > 0 && res.HeldBytes == int64(e.Packets)*res.Truesize
}

// Silent says that no scenario that uses the module shows anything the stock
// kernel does not: a reason to look closer.
func (t Trial) Silent() bool {
	stock := everything(t.Stock)
	return !slices.ContainsFunc(everything(t.Run), func(res record.Result) bool {
		return t.deviation(stock, res) == Also
	})
}

// deviation says what it means that another scenario shows this; "" is nothing.
func (t Trial) deviation(stock []record.Result, res record.Result) Outcome {
	before, ran := find(stock, res.Scenario)
	switch {
	case !ran || res.Status == record.Skip && before.Status == record.Skip:
		return ""
	case res.Status == record.Error || res.Status == record.Skip:
		return Trouble
	case res.Verdict == before.Verdict, was(res, record.Pass) && was(before, record.Pass):
		// Both may be sound where the catalogue allows more than one.
		return ""
	case t.Uses(res.Scenario):
		return Also
	case was(res, record.Pass) || was(res, record.XFail):
		// A defect of the stock kernel that shows only at times.
		return ""
	}
	return False
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
func StockTruth(stock record.Run) []Truth {
	var table []Truth
	for _, res := range everything(stock) {
		line := Trial{Mutant: "(stock)"}.line(res.Scenario, nil, res)
		switch res.Status {
		case record.Fail, record.Broken:
			line.Outcome = False
		case record.Error:
			line.Outcome = Trouble
		default:
			continue
		}
		table = append(table, line)
	}
	return table
}
