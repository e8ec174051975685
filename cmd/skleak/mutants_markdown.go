package main

import (
	"fmt"
	"io"
	"strings"

	"skleak/record"
)

// markdown prints the truth table as docs/truth.md has it.
func (rep truthReport) markdown(w io.Writer) error {
	fmt.Fprintf(w, "## %s\n\n", rep.Kernel)
	fmt.Fprintf(w, "| run | mutants | found | recall | precision | seconds |\n| --- | --- | --- | --- | --- | --- |\n")
	for i, run := range rep.Runs {
		s := run.Score
		fmt.Fprintf(w, "| %d | %d | %d | %.3f | %.3f | %.0f |\n", i+1, s.Mutants, s.Found, s.Recall, s.Precision, run.Seconds)
	}
	fmt.Fprintf(w, "\n| mutant | scenario | outcome | runs | shown | holder | held, bytes | ladder: charge after each rung |\n")
	fmt.Fprintf(w, "| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rep.rows() {
		_, err := fmt.Fprintf(w, "| %s | `%s` | %s | %d of %d | %s | %s | %d | %s |\n", r.Mutant, r.Scenario, r.Outcome, r.as, r.of,
			r.Verdict, cell(r.Holder), r.Held, cell(ladderText(r.Ladder)))
		if err != nil {
			return err
		}
	}
	return nil
}

// cell is text that a Markdown table can hold.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

// ladderText is a ladder on one line: what was charged, and after each rung.
// A rung climbed on several links that changes nothing more is told once.
func ladderText(steps []record.LadderStep) string {
	var words []string
	last := ""
	for i, s := range steps {
		if i == 0 {
			words = append(words, fmt.Sprint(s.Before))
		}
		if word := fmt.Sprintf("%s %d", s.Rung, s.After); word != last {
			words, last = append(words, word), word
		}
	}
	return strings.Join(words, ", ")
}
