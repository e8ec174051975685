package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"skleak/campaign"
	"skleak/kernels/modbuild"
)

// truthReport is what `skleak mutants run` prints.
type truthReport struct {
	Kernel  string            `json:"kernel"`
	Mutants []modbuild.Mutant `json:"-"`
	Runs    []truthRun        `json:"runs"`
}

// truthRun is one run over all mutants.
type truthRun struct {
	Score   campaign.Score   `json:"score"`
	Seconds float64          `json:"seconds"`
	Table   []campaign.Truth `json:"table"`
}

// truthFlags say how and where a truth table is printed.
type truthFlags struct {
	json   bool
	format string
	file   string
}

func (f *truthFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.StringVar(&f.format, "format", "table", "table, markdown or json")
	fs.StringVarP(&f.file, "output", "o", "", "write it to this file")
}

// open checks format and place before anything is run.
func (f *truthFlags) open(t terminal) (*output, error) {
	if f.json {
		f.format = "json"
	}
	if !slices.Contains([]string{"table", "markdown", "json"}, f.format) {
		return nil, fmt.Errorf("--format %s: want table, markdown or json", f.format)
	}
	o := &output{out: t.plain, file: f.file}
	if o.file == "" {
		return o, nil
	}
	return o, o.tryFile()
}

func (f *truthFlags) printer(rep truthReport) func(io.Writer) error {
	switch f.format {
	case "json":
		return func(w io.Writer) error { return printJSON(w, rep) }
	case "markdown":
		return rep.markdown
	}
	return rep.table
}

// row is a line of the table over all runs.
type row struct {
	campaign.Truth
	// as counts the runs with this line's outcome, of all runs.
	as, of int
}

// rows joins the runs: of a mutant and a scenario the worst line stands.
func (rep truthReport) rows() []row {
	var rows []row
	for _, run := range rep.Runs {
		for _, line := range run.Table {
			i := slices.IndexFunc(rows, func(r row) bool { return r.Mutant == line.Mutant && r.Scenario == line.Scenario })
			switch {
			case i < 0:
				rows = append(rows, row{line, 1, len(rep.Runs)})
			case rows[i].Outcome == line.Outcome:
				rows[i].as++
			case badness(line.Outcome) > badness(rows[i].Outcome):
				rows[i] = row{line, 1, len(rep.Runs)}
			}
		}
	}
	return rows
}

// badness orders outcomes.
func badness(o campaign.Outcome) int {
	return slices.Index([]campaign.Outcome{
		campaign.Kept, campaign.Also, campaign.Hit, campaign.Trouble, campaign.Wrong, campaign.False, campaign.Miss,
	}, o)
}

func (rep truthReport) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\tscenario\toutcome\truns\twanted\tshown\tholder\theld\tladder")
	for _, r := range rep.rows() {
		cells(w, r.Mutant, r.Scenario, string(r.Outcome), fmt.Sprintf("%d/%d", r.as, r.of),
			r.wanted(), string(r.Verdict), r.Holder, fmt.Sprint(r.Held), ladderText(r.Ladder))
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
func (r row) wanted() string {
	if r.Expected == nil {
		return "as stock: " + string(r.Stock)
	}
	return strings.TrimSuffix(string(r.Expected.Verdict)+", "+r.Expected.Holder, ", ")
}
