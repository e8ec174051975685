// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"skleak/record"
)

//go:embed style.css
var htmlStyle string

// maxDetails bounds the results that are told in full; all are in the table.
const maxDetails = 600

// writeHTML writes one page that needs no network and runs no script: the matrix
// of scenarios and kernels, and what each result rests on.
func writeHTML(w io.Writer, rep record.Report, o Options) error {
	p := &page{rep: rep, e: o.Evidence, details: map[place]bool{}}
	p.choose()
	p.head()
	p.deviations()
	p.kernels()
	p.matrix()
	p.results()
	p.out.WriteString("</main></body></html>\n")
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// page is one page being written.
type page struct {
	rep record.Report
	e   Evidence
	// details are the results told in full.
	details map[place]bool
	order   []place
	out     strings.Builder
}

// place is where a result is: the run, and the result in it; controls follow the
// results.
type place struct{ run, result int }

func (at place) id() string { return fmt.Sprintf("r%d-%d", at.run, at.result) }

func (p *page) result(at place) record.Result {
	run := p.rep.Runs[at.run]
	if at.result < len(run.Results) {
		return run.Results[at.result]
	}
	return run.Controls[at.result-len(run.Results)]
}

// choose ranks the results: what is not as expected, what holds, the rest.
func (p *page) choose() {
	rank := func(r record.Result) int {
		switch {
		case r.Status == record.Skip:
			return 4
		case r.Status != record.Pass || r.Flaky:
			return 0
		case r.Verdict.NeedsHolder():
			return 1
		case r.Verdict != record.Clean:
			return 2
		}
		return 3
	}
	groups := make([][]place, 4)
	for i, run := range p.rep.Runs {
		for j := range len(run.Results) + len(run.Controls) {
			at := place{i, j}
			if n := rank(p.result(at)); n < len(groups) {
				groups[n] = append(groups[n], at)
			}
		}
	}
	p.order = slices.Concat(groups...)
	p.order = p.order[:min(len(p.order), maxDetails)]
	for _, at := range p.order {
		p.details[at] = true
	}
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

func (p *page) head() {
	title := "skleak"
	if len(p.rep.Runs) > 0 {
		title += ": " + p.rep.Runs[0].Kernel.Name()
	}
	if n := len(p.rep.Runs) - 1; n > 0 {
		title += fmt.Sprintf(" and %d more", n)
	}
	p.printf(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title><style>%s</style></head><body><a class="skip" href="#results">to the results</a><main>
<h1>%s</h1><p>%s</p>
`, esc(title), htmlStyle, esc(title), esc(summary(p.rep)))
}

// maxDeviations bounds the lines above the tables.
const maxDeviations = 30

// deviations are a line for each scenario and verdict that is not as expected, with
// links to where it is told.
func (p *page) deviations() {
	var keys []string
	places := map[string][]place{}
	for _, at := range p.order {
		r := p.result(at)
		if r.Status == record.Pass && !r.Flaky {
			continue
		}
		key := r.Scenario + "\x00" + string(r.Status) + "\x00" + string(r.Verdict)
		if places[key] == nil {
			keys = append(keys, key)
		}
		places[key] = append(places[key], at)
	}
	if len(keys) == 0 {
		return
	}
	p.out.WriteString("<h2>Not as expected</h2><ul>")
	for _, key := range keys[:min(len(keys), maxDeviations)] {
		r := p.result(places[key][0])
		p.printf(`<li><span class="%s">%s</span> %s`, statusClass(r.Status), esc(cmpOr(string(r.Verdict), string(r.Status))), esc(r.Scenario))
		if r.Holder != "" {
			p.printf(", %s", esc(r.Holder))
		}
		p.out.WriteString(":")
		for i, at := range places[key] {
			if i == maxElsewhere {
				p.printf(" and %d more", len(places[key])-i)
				break
			}
			p.printf(` <a href="#%s">%s</a>`, at.id(), esc(p.rep.Runs[at.run].Kernel.Name()))
		}
		p.out.WriteString("</li>")
	}
	p.out.WriteString("</ul>")
	if left := len(keys) - maxDeviations; left > 0 {
		p.printf("<p>and %d more, below.</p>", left)
	}
}

// summary is the report in a sentence.
func summary(rep record.Report) string {
	n := map[record.Status]int{}
	total := 0
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			n[r.Status]++
			total++
		}
	}
	text := fmt.Sprintf("%s on %s: %d as expected", plural(total, "result"), plural(len(rep.Runs), "kernel"), n[record.Pass])
	for _, s := range []record.Status{record.XFail, record.Fail, record.Broken, record.Error, record.Skip} {
		if n[s] > 0 {
			text += fmt.Sprintf(", %d %s", n[s], statusWord(s))
		}
	}
	return text + "."
}

func statusWord(s record.Status) string {
	switch s {
	case record.XFail:
		return "a known defect"
	case record.Fail:
		return "not as expected"
	case record.Skip:
		return "skipped"
	case record.Pass:
		return "as expected"
	}
	return string(s)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// kernels says of each run what it came to.
func (p *page) kernels() {
	if len(p.rep.Runs) == 0 {
		p.out.WriteString("<p>No kernel was run.</p>")
		return
	}
	p.out.WriteString(`<h2>Kernels</h2><div class="scroll" tabindex="0"><table><thead><tr><th>kernel</th><th>release</th><th class="n">as expected</th><th class="n">known</th><th class="n">not</th><th class="n">trouble</th><th class="n">skipped</th><th>controls</th><th class="n">seconds</th></tr></thead><tbody>`)
	var remarks []string
	for _, run := range p.rep.Runs {
		n := map[record.Status]int{}
		for _, r := range run.Results {
			n[r.Status]++
		}
		p.printf(`<tr><th>%s</th><td>%s</td><td class="n">%d</td><td class="n">%d</td><td class="n">%d</td><td class="n">%d</td><td class="n">%d</td><td>%s</td><td class="n">%.0f</td></tr>`,
			esc(run.Kernel.Name()), esc(run.Kernel.Release), n[record.Pass], n[record.XFail], n[record.Fail],
			n[record.Error]+n[record.Broken], n[record.Skip], esc(controlsText(run)), run.Seconds)
		for _, text := range append([]string{run.Trouble}, run.Notes...) {
			if text != "" {
				remarks = append(remarks, run.Kernel.Name()+": "+text)
			}
		}
		if run.Interrupted {
			remarks = append(remarks, run.Kernel.Name()+": interrupted before its end")
		}
	}
	p.out.WriteString("</tbody></table></div>")
	for _, c := range sameCrashes(p.rep) {
		p.printf(`<p class="fail">The kernel crashed: %s</p>`, esc(c.line()))
	}
	for _, text := range remarks {
		p.printf(`<p>%s</p>`, esc(text))
	}
}

// matrix is a table for each family, open where something is not as expected.
func (p *page) matrix() {
	p.out.WriteString("<h2>Scenarios by kernels</h2>")
	var families []string
	rows := map[string][]string{}
	at := map[string]map[int]place{}
	for i, run := range p.rep.Runs {
		for j, r := range run.Results {
			f := family(r.Scenario)
			if at[r.Scenario] == nil {
				at[r.Scenario] = map[int]place{}
				if rows[f] == nil {
					families = append(families, f)
				}
				rows[f] = append(rows[f], r.Scenario)
			}
			if _, twice := at[r.Scenario][i]; !twice {
				at[r.Scenario][i] = place{i, j}
			}
		}
	}
	class := "families"
	if len(p.rep.Runs) < 3 {
		class += " few"
	}
	p.printf(`<div class="%s">`, class)
	for _, f := range families {
		p.family(f, rows[f], at)
	}
	p.out.WriteString("</div>")
}

func (p *page) family(name string, scenarios []string, at map[string]map[int]place) {
	n := map[record.Status]int{}
	for _, s := range scenarios {
		for _, where := range at[s] {
			n[p.result(where).Status]++
		}
	}
	open, words := "", []string{}
	for _, s := range record.Statuses() {
		if n[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[s], statusWord(s)))
		}
	}
	if n[record.Fail]+n[record.XFail]+n[record.Broken]+n[record.Error] > 0 || len(p.rep.Runs) == 1 && n[record.Pass] > 0 {
		open = " open"
	}
	p.printf(`<details%s><summary><strong>%s</strong> <span class="dim">%s</span></summary><div class="scroll" tabindex="0"><table><thead><tr><th>scenario</th>`,
		open, esc(name), esc(strings.Join(words, ", ")))
	for _, run := range p.rep.Runs {
		p.printf("<th>%s</th>", esc(run.Kernel.Name()))
	}
	p.out.WriteString("</tr></thead><tbody>")
	for _, s := range scenarios {
		p.printf("<tr><th>%s</th>", esc(s))
		for i := range p.rep.Runs {
			where, there := at[s][i]
			if !there {
				p.out.WriteString(`<td class="skip-cell">not run</td>`)
				continue
			}
			p.cell(where)
		}
		p.out.WriteString("</tr>")
	}
	p.out.WriteString("</tbody></table></div></details>\n")
}

// cell is what one kernel shows in one scenario; its sign tells the status where
// colours do not.
func (p *page) cell(at place) {
	r := p.result(at)
	sign := map[record.Status]string{
		record.Pass: "✓", record.XFail: "!", record.Fail: "✗", record.Skip: "–", record.Broken: "✗", record.Error: "✗",
	}[r.Status]
	words := strings.TrimSpace(sign + " " + string(r.Verdict))
	if r.Verdict == "" {
		words = sign + " " + string(r.Status)
	}
	if r.HeldBytes > 0 {
		words += " " + bytesText(r.HeldBytes)
	}
	if r.Flaky {
		words += " (flaky)"
	}
	if p.details[at] {
		p.printf(`<td class="%s"><a class="%s" href="#%s">%s</a></td>`, statusClass(r.Status), statusClass(r.Status), at.id(), esc(words))
		return
	}
	title := ""
	if r.Status == record.Skip {
		title = fmt.Sprintf(` title="%s"`, esc(sentence(r.Reason, r.Hint)))
	}
	p.printf(`<td class="%s"%s>%s</td>`, statusClass(r.Status), title, esc(words))
}

// statusClass is a class of the style sheet, whatever the report says.
func statusClass(s record.Status) string {
	switch s {
	case record.Pass, record.XFail, record.Fail, record.Broken, record.Error:
		return string(s)
	}
	return "skip-cell"
}
