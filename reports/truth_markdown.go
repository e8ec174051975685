// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"skleak/record"
)

// TruthMarkdown prints a truth table as docs/results/truth.md has it.
func TruthMarkdown(w io.Writer, rep record.TruthReport) error {
	var text strings.Builder
	fmt.Fprintf(&text, "## %s\n\n", rep.Kernel)
	text.WriteString(MarkdownHead("run", "mutants", "found", "recall", "precision", "seconds"))
	for i, run := range rep.Runs {
		s := run.Score
		text.WriteString(MarkdownRow(fmt.Sprint(i+1), fmt.Sprint(s.Mutants), fmt.Sprint(s.Found),
			shareText(s.Recall), shareText(s.Precision), fmt.Sprintf("%.0f", run.Seconds)))
	}
	rows := truthRows(rep)
	withLedger := slices.ContainsFunc(rows, func(r truthRow) bool { return r.HolderBy != "" })
	head := []string{"mutant", "scenario", "outcome", "runs", "shown", "holder", "held, bytes", "ladder: charge after each rung"}
	if withLedger {
		head = slices.Insert(head, namedBy, "named by")
	}
	text.WriteString("\n" + MarkdownHead(head...))
	for _, r := range rows {
		cells := []string{
			r.Mutant, "`" + r.Scenario + "`", string(r.Outcome), fmt.Sprintf("%d of %d", r.as, r.of),
			string(r.Verdict), r.Holder, fmt.Sprint(r.Held), ladderText(r.Ladder),
		}
		if withLedger {
			cells = slices.Insert(cells, namedBy, r.HolderBy)
		}
		text.WriteString(MarkdownRow(cells...))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// shareText is a share to three digits, or a dash for one of nothing.
func shareText(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *share)
}

// namedBy is the column of who named the holder, after the holder; it is there
// if a ledger was kept.
const namedBy = 6

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
