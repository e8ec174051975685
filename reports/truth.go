// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"skleak/record"
)

// truthRow is a line of the table over all runs.
type truthRow struct {
	record.Truth
	// as counts the runs with this line's outcome, of all runs.
	as, of int
}

// truthRows joins the runs: of a mutant and a scenario the worst line stands.
func truthRows(rep record.TruthReport) []truthRow {
	var rows []truthRow
	for _, run := range rep.Runs {
		for _, line := range run.Table {
			i := slices.IndexFunc(rows, func(r truthRow) bool { return r.Mutant == line.Mutant && r.Scenario == line.Scenario })
			switch {
			case i < 0:
				rows = append(rows, truthRow{line, 1, len(rep.Runs)})
			case rows[i].Outcome == line.Outcome:
				rows[i].as++
			case badness(line.Outcome) > badness(rows[i].Outcome):
				rows[i] = truthRow{line, 1, len(rep.Runs)}
			}
		}
	}
	return rows
}

// badness orders outcomes.
func badness(o record.Outcome) int {
	return slices.Index([]record.Outcome{
		record.OutcomeKept, record.OutcomeAlso, record.OutcomeHit, record.OutcomeTrouble, record.OutcomeWrong, record.OutcomeFalse, record.OutcomeMiss,
	}, o)
}

// TruthTable prints a truth table for a terminal.
func TruthTable(out io.Writer, rep record.TruthReport) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\tscenario\toutcome\truns\twanted\tshown\tholder\theld\tladder")
	for _, r := range truthRows(rep) {
		fmt.Fprintln(w, TabRow(r.Mutant, r.Scenario, string(r.Outcome), fmt.Sprintf("%d/%d", r.as, r.of),
			r.wanted(), string(r.Verdict), r.Holder, fmt.Sprint(r.Held), ladderText(r.Ladder)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, run := range rep.Runs {
		s := run.Score
		fmt.Fprintf(out, "%s: %d of %d mutants found; recall %s, precision %s; %.0f s\n",
			rep.Kernel, s.Found, s.Mutants, shareText(s.Recall), shareText(s.Precision), run.Seconds)
	}
	return nil
}

// wanted is the verdict that must be, and the holder.
func (r truthRow) wanted() string {
	if r.Expected == nil {
		return "as stock: " + string(r.Stock)
	}
	return strings.TrimSuffix(string(r.Expected.Verdict)+", "+r.Expected.Holder, ", ")
}

// TabRow is a row of a table for text/tabwriter. What is in it may come from
// elsewhere: a tab or a line break in a name makes no cell and no row.
func TabRow(row ...string) string {
	safe := make([]string, len(row))
	for i, cell := range row {
		safe[i] = Harmless(cell)
	}
	return strings.Join(safe, "\t")
}
