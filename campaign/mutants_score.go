package campaign

// Score sums a truth table up.
type Score struct {
	// Mutants have something that must find them; Found are those where all of
	// it did.
	Mutants int `json:"mutants"`
	Found   int `json:"found"`
	// Recall is the share of findings that must be and are, 0 to 1; what must stay
	// clean is not among them.
	Recall float64 `json:"recall"`
	// Precision is the share of findings that are right: not wrong, not false.
	Precision float64         `json:"precision"`
	Outcomes  map[Outcome]int `json:"outcomes"`
}

// Perfect says whether nothing is missed, wrong or false, and all could be run.
func (s Score) Perfect() bool {
	return s.Outcomes[Miss]+s.Outcomes[Wrong]+s.Outcomes[False]+s.Outcomes[Trouble] == 0
}

// ScoreOf counts. Where nothing must be or is found, recall and precision are 1.
func ScoreOf(table []Truth) Score {
	s := Score{Outcomes: map[Outcome]int{}}
	complete := map[string]bool{}
	for _, line := range table {
		s.Outcomes[line.Outcome]++
		if line.Expected == nil {
			continue
		}
		before, seen := complete[line.Mutant]
		complete[line.Mutant] = (line.Outcome == Hit || line.Outcome == Kept) && (before || !seen)
	}
	s.Mutants = len(complete)
	for _, found := range complete {
		if found {
			s.Found++
		}
	}
	hits := s.Outcomes[Hit]
	s.Recall = share(hits, hits+s.Outcomes[Miss]+s.Outcomes[Wrong]+expectedTrouble(table))
	s.Precision = share(hits+s.Outcomes[Also], hits+s.Outcomes[Also]+s.Outcomes[Wrong]+s.Outcomes[False])
	return s
}

func expectedTrouble(table []Truth) int {
	n := 0
	for _, line := range table {
		if line.Expected != nil && line.Outcome == Trouble {
			n++
		}
	}
	return n
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
