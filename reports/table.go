// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"skleak/record"
)

// writeTable writes the report for people.
func writeTable(w io.Writer, rep record.Report, o Options) error {
	var out bytes.Buffer
	p := newPainter(o)
	for i, run := range rep.Runs {
		if i > 0 {
			out.WriteByte('\n')
		}
		p.run(&out, run)
	}
	p.crashes(&out, rep)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report as a table: %w", err)
	}
	return nil
}

// run writes one kernel's part.
func (p painter) run(out *bytes.Buffer, run record.Run) {
	k := run.Kernel
	title := fmt.Sprintf("kernel %s %s (%s)", k.Release, k.Arch, k.Source)
	if k.Release == "" {
		title = "kernel " + k.Source
	}
	fmt.Fprintf(out, "%s\n", p.bold(p.safe(title)))
	p.answer(out, run)
	switch {
	case p.Quiet:
		return
	case p.Verbose:
		if shown := rows(run); len(shown) > 0 {
			out.WriteString("\n" + p.fitted(p.columns(), shown) + "\n")
		}
		p.notes(out, run)
		p.skips(out, run)
	default:
		p.folded(out, run)
	}
	p.controls(out, run)
	p.summary(out, run)
}

// rows are the results that have a row: all but skips, each family together.
func rows(run record.Run) []record.Result {
	byFamily := map[string][]record.Result{}
	var order []string
	for _, r := range run.Results {
		if r.Status == record.Skip {
			continue
		}
		f := family(r.Scenario)
		if byFamily[f] == nil {
			order = append(order, f)
		}
		byFamily[f] = append(byFamily[f], r)
	}
	var out []record.Result
	for _, f := range order {
		out = append(out, byFamily[f]...)
	}
	return out
}

// column is one column of the table.
type column struct {
	title string
	cell  func(r record.Result) string
	right bool
	// rank says how early it is given up on a narrow terminal, highest first; 0
	// stays.
	rank int
}

const sparkWidth = 16

func (p painter) columns() []column {
	return []column{
		{title: "scenario", cell: func(r record.Result) string { return p.safe(r.Scenario) }},
		{title: "status", cell: func(r record.Result) string { return p.status(r.Status) }},
		{title: "verdict", cell: func(r record.Result) string { return p.verdict(r) }},
		{title: "held", right: true, cell: func(r record.Result) string { return bytesText(r.HeldBytes) }},
		{title: "B/pkt", right: true, rank: 3, cell: func(r record.Result) string { return orDash(r.BytesPerPacket, number) }},
		{title: "truesize", right: true, rank: 5, cell: func(r record.Result) string {
			return orDash(r.Truesize, func(n int64) string { return fmt.Sprint(n) })
		}},
		{title: "charge", rank: 4, cell: func(r record.Result) string {
			return sparkline(r.Spark, r.SndBuf, sparkWidth, p.ASCII)
		}},
		{title: "holder", rank: 1, cell: func(r record.Result) string { return p.safe(r.Holder) }},
		{title: "released by", rank: 2, cell: func(r record.Result) string { return p.safe(r.ReleasedBy) }},
		{title: "by itself", right: true, rank: 6, cell: byItself},
	}
}

// byItself is the time after which a charge went untouched.
func byItself(r record.Result) string {
	switch {
	case r.SelfReleaseMs != nil:
		return fmt.Sprintf("%.1f s", float64(*r.SelfReleaseMs)/1000)
	case r.HeldBytes > 0:
		return "no"
	default:
		return "-"
	}
}

func orDash[T int64 | float64](n T, show func(T) string) string {
	if n == 0 {
		return "-"
	}
	return show(n)
}

// fitted draws the table, giving up columns until it fits the width, and cuts
// lines only when none is left to give up.
func (p painter) fitted(cols []column, results []record.Result) string {
	for {
		drawn := p.draw(cols, results)
		if p.Width <= 0 || text.LongestLineLen(drawn) <= p.Width {
			return drawn
		}
		i := leastNeeded(cols)
		if i < 0 {
			return cut(drawn, p.Width)
		}
		cols = append(cols[:i:i], cols[i+1:]...)
	}
}

// leastNeeded is the index of the column to give up next; -1 when all stay.
func leastNeeded(cols []column) int {
	best := -1
	for i, c := range cols {
		if c.rank > 0 && (best < 0 || c.rank > cols[best].rank) {
			best = i
		}
	}
	return best
}

func (p painter) draw(cols []column, results []record.Result) string {
	tw := table.NewWriter()
	tw.SetStyle(p.style())
	header := table.Row{}
	configs := make([]table.ColumnConfig, len(cols))
	for i, c := range cols {
		header = append(header, c.title)
		configs[i].Number = i + 1
		if c.right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	tw.SetColumnConfigs(configs)
	tw.AppendHeader(header)
	size := familySizes(results)
	for i, r := range results {
		if i > 0 && ruled(size, results[i-1], r) {
			tw.AppendSeparator()
		}
		row := table.Row{}
		for _, c := range cols {
			row = append(row, c.cell(r))
		}
		tw.AppendRow(row)
	}
	return tw.Render()
}

func familySizes(results []record.Result) map[string]int {
	size := map[string]int{}
	for _, r := range results {
		size[family(r.Scenario)]++
	}
	return size
}

// ruled reports whether a rule goes between two rows: around each family of
// more than one, so that families of one do not fill the screen with rules.
func ruled(size map[string]int, above, below record.Result) bool {
	a, b := family(above.Scenario), family(below.Scenario)
	return a != b && (size[a] > 1 || size[b] > 1)
}

// style is a table without a border, ruled under the header and between
// families.
func (p painter) style() table.Style {
	style := table.StyleLight
	if p.ASCII {
		style = table.StyleDefault
	}
	style.Options.DrawBorder = false
	style.Format.Header = text.FormatDefault
	return style
}

// cut shortens each line to width.
func cut(s string, width int) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = text.Trim(line, width)
	}
	return strings.Join(lines, "\n")
}
