// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"skleak/record"
)

// notes says what is behind each result that is not a clean pass. Expected
// holds with one law between them share a paragraph: a catalogue has many.
func (p painter) notes(out *bytes.Buffer, run record.Run) {
	all := rows(run)
	shared := sharedLaws(all)
	for _, r := range all {
		if names := shared[r.Law]; r.Status == record.Pass && len(names) > 1 {
			if names[0] == r.Scenario {
				p.note(out, strings.Join(names, ", "), r.Status, []string{r.Law})
			}
			continue
		}
		if lines := noteLines(r); len(lines) > 0 {
			p.note(out, r.Scenario, r.Status, lines)
		}
	}
}

func (p painter) note(out *bytes.Buffer, names string, s record.Status, lines []string) {
	out.WriteByte('\n')
	p.paragraph(out, "", p.status(s)+"  "+p.bold(p.safe(names)))
	for _, line := range lines {
		p.paragraph(out, "  ", p.safe(line))
	}
}

// sharedLaws are the scenarios that passed, by their law.
func sharedLaws(results []record.Result) map[string][]string {
	names := map[string][]string{}
	for _, r := range results {
		if r.Status == record.Pass && r.Law != "" {
			names[r.Law] = append(names[r.Law], r.Scenario)
		}
	}
	return names
}

// noteLines are the law, the reason and what else a reader of a result wants;
// nothing for a clean pass.
func noteLines(r record.Result) []string {
	if r.Status == record.Pass && r.Verdict == record.Clean {
		return nil
	}
	var lines []string
	// A warning of the kernel fails a result whose verdict was expected.
	if r.Status == record.Fail && r.Expected != "" && !slices.Contains(strings.Split(r.Expected, " or "), string(r.Verdict)) {
		lines = append(lines, fmt.Sprintf("expected %s, found %s", r.Expected, r.Verdict))
	}
	if r.Status == record.XFail {
		lines = append(lines, knownText(r))
	}
	for _, line := range []string{r.Law, sentence(r.Reason, r.Hint)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	if r.Flaky {
		lines = append(lines, "flaky: "+attemptsText(r))
	}
	for _, errno := range slices.Sorted(maps.Keys(r.Refused)) {
		lines = append(lines, fmt.Sprintf("%d sends refused with %s", r.Refused[errno], errno))
	}
	for _, w := range r.Warnings {
		lines = append(lines, "kernel log: "+w)
	}
	if c := r.LawCheck; c != nil {
		lines = append(lines, lawCheckText(*c))
	}
	return lines
}

func lawCheckText(c record.LawCheck) string {
	if c.NotTried != "" {
		return "law not tried out: " + c.NotTried
	}
	text := "law tried out"
	if c.PredictedPPS > 0 {
		text += fmt.Sprintf(": predicted %s packets/s", number(c.PredictedPPS))
	}
	for _, r := range []*record.LawRun{c.Under, c.Over} {
		if r != nil {
			text += "; " + lawRunText(*r)
		}
	}
	return text
}

func lawRunText(r record.LawRun) string {
	rate, what := "as fast as can be", "it stayed writable"
	if r.PPS > 0 {
		rate = fmt.Sprintf("at %s packets/s", number(r.PPS))
	}
	if r.Stalled {
		what = "the socket fell silent"
	}
	return fmt.Sprintf("%d packets %s: %s", r.Sent, rate, what)
}

// skips collapses skips with the same reason and hint into one paragraph.
func (p painter) skips(out *bytes.Buffer, run record.Run) {
	causes, total := skipCauses(run)
	if total == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", p.dim(fmt.Sprintf("skipped: %d", total)))
	for _, c := range causes {
		p.paragraph(out, "  ", p.safe(strings.Join(c.names, ", ")+": "+c.text()))
	}
}

// controls says whether the instrument works.
func (p painter) controls(out *bytes.Buffer, run record.Run) {
	if len(run.Controls) == 0 {
		return
	}
	var parts []string
	for _, c := range run.Controls {
		part := fmt.Sprintf("%s %s %s", p.status(c.Status), p.safe(c.Scenario), p.safe(string(c.Verdict)))
		if why := sentence(c.Reason, c.Hint); c.Status != record.Pass && why != "" {
			part += " (" + p.safe(why) + ")"
		}
		parts = append(parts, part)
	}
	out.WriteByte('\n')
	p.paragraph(out, "", "controls: "+strings.Join(parts, "; "))
}

// summary is the last line: counts and time.
func (p painter) summary(out *bytes.Buffer, run record.Run) {
	if len(run.Notes) > 0 {
		out.WriteByte('\n')
	}
	for _, note := range run.Notes {
		p.paragraph(out, "", "note: "+p.safe(note))
	}
	if run.Trouble != "" {
		fmt.Fprintln(out)
		p.paragraph(out, "", "this run has trouble of its own: "+p.safe(run.Trouble))
	}
	if run.Interrupted {
		fmt.Fprintf(out, "\n%s\n", p.bold("interrupted: what follows is only what was done by then"))
	}
	n := map[record.Status]int{}
	for _, r := range run.Results {
		n[r.Status]++
	}
	var parts []string
	for _, s := range record.Statuses() {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no results"}
	}
	out.WriteByte('\n')
	p.paragraph(out, "", p.bold(fmt.Sprintf("%d scenarios: %s in %.1f s", len(run.Results), strings.Join(parts, ", "), run.Seconds)))
}

// paragraph writes text, which is safe to print, wrapped to the width, each
// line indented.
func (p painter) paragraph(out *bytes.Buffer, indent, s string) {
	if room := p.Width - len(indent); p.Width > 0 && room > 10 {
		s = text.WrapSoft(s, room)
	}
	for line := range strings.SplitSeq(s, "\n") {
		fmt.Fprintf(out, "%s%s\n", indent, strings.TrimRight(line, " "))
	}
}
