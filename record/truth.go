// SPDX-License-Identifier: GPL-2.0-only

package record

// Found is a scenario that must find a mutant, and how. One that must stay clean
// though it uses the module is among them too.
type Found struct {
	Scenario string  `yaml:"scenario" json:"scenario"`
	Verdict  Verdict `yaml:"verdict" json:"verdict"`
	// Holder is what Result.Holder must be, with * for any text. A verdict that
	// says something is held needs it: the true holder, or
	// NotKnown, which a result that names nobody meets too.
	Holder string `yaml:"holder" json:"holder,omitempty"`
	// Count is how many packets must be held at the end of settling; 0 for any
	// number.
	Count int `yaml:"count" json:"count,omitempty"`
}

// Outcome says what came of one scenario on a mutant's kernel.
type Outcome string

// The outcomes.
const (
	// OutcomeHit: found as it must be.
	OutcomeHit Outcome = "found"
	// OutcomeKept: clean, as the mutant says it must stay.
	OutcomeKept Outcome = "clean"
	// OutcomeMiss: not found, though it must be.
	OutcomeMiss Outcome = "missed"
	// OutcomeWrong: seen, but with another verdict, holder or amount.
	OutcomeWrong Outcome = "wrong"
	// OutcomeAlso: another scenario that uses the module deviates from stock.
	OutcomeAlso Outcome = "also"
	// OutcomeFalse: a scenario that does not use the module deviates from stock, or one
	// that must stay clean does not.
	OutcomeFalse Outcome = "false"
	// OutcomeTrouble: it could not be run or judged.
	OutcomeTrouble Outcome = "trouble"
)

// Truth is a line of the truth table.
type Truth struct {
	Mutant   string  `json:"mutant"`
	Scenario string  `json:"scenario"`
	Outcome  Outcome `json:"outcome"`
	// Expected is nil unless the scenario must find the mutant.
	Expected *Found `json:"expected"`
	// Stock is the verdict on the stock kernel; "" where it was not run.
	Stock   Verdict `json:"stock"`
	Verdict Verdict `json:"verdict"`
	Holder  string  `json:"holder"`
	// HolderBy is Result.HolderBy: it stands where a ledger was kept.
	HolderBy string `json:"holder_by,omitempty"`
	// Released is the rung that let go.
	Released string       `json:"released_by"`
	Held     int64        `json:"held_bytes"`
	Ladder   []LadderStep `json:"ladder"`
	Reason   string       `json:"reason"`
}

// TruthReport is the truth table of the runs over all mutants of a kernel.
type TruthReport struct {
	Kernel string     `json:"kernel"`
	Runs   []TruthRun `json:"runs"`
}

// TruthRun is one run over all mutants.
type TruthRun struct {
	Score   Score   `json:"score"`
	Seconds float64 `json:"seconds"`
	Table   []Truth `json:"table"`
}

// ExitCode is 1 for a finding that is missed or should not be, 2 for trouble.
func (r TruthRun) ExitCode() int {
	switch {
	case r.Score.Outcomes[OutcomeMiss]+r.Score.Outcomes[OutcomeWrong]+r.Score.Outcomes[OutcomeFalse] > 0:
		return 1
	case !r.Score.Perfect():
		return 2
	}
	return 0
}
