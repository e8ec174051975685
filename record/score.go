// SPDX-License-Identifier: GPL-2.0-only

package record

// Score sums a truth table up.
type Score struct {
	// Mutants have something that must find them; Found are those where all of
	// it did.
	Mutants int `json:"mutants"`
	Found   int `json:"found"`
	// Recall is the share of findings that must be and are, 0 to 1; what must stay
	// clean is not among them. It is nil where there is nothing to find.
	Recall *float64 `json:"recall"`
	// Precision is the share of findings that are right: not wrong, not false. It
	// is nil where nothing was found.
	Precision *float64        `json:"precision"`
	Outcomes  map[Outcome]int `json:"outcomes"`
}

// Perfect says whether nothing is missed, wrong or false, and all could be run.
func (s Score) Perfect() bool {
	return s.Outcomes[OutcomeMiss]+s.Outcomes[OutcomeWrong]+s.Outcomes[OutcomeFalse]+s.Outcomes[OutcomeTrouble] == 0
}

// ScoreOf counts.
func ScoreOf(table []Truth) Score {
	s := Score{Outcomes: map[Outcome]int{}}
	sought, spoilt := map[string]bool{}, map[string]bool{}
	wanted := 0
	for _, line := range table {
		s.Outcomes[line.Outcome]++
		if line.Expected == nil {
			continue
		}
		if line.Expected.Verdict != Clean {
			sought[line.Mutant] = true
			wanted++
		}
		if line.Outcome != OutcomeHit && line.Outcome != OutcomeKept {
			spoilt[line.Mutant] = true
		}
	}
	s.Mutants = len(sought)
	for mutant := range sought {
		if !spoilt[mutant] {
			s.Found++
		}
	}
	hits := s.Outcomes[OutcomeHit]
	s.Recall = share(hits, wanted)
	s.Precision = share(hits+s.Outcomes[OutcomeAlso], hits+s.Outcomes[OutcomeAlso]+s.Outcomes[OutcomeWrong]+s.Outcomes[OutcomeFalse])
	return s
}

// share is nil of nothing: nothing shown is nothing proved.
func share(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	f := float64(part) / float64(whole)
	return &f
}
