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

// notes says what is behind each result that is not a clean pass.
func (p painter) notes(out *bytes.Buffer, run record.Run) {
	for _, r := range rows(run) {
		lines := noteLines(r)
		if len(lines) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s  %s\n", p.bold(p.safe(r.Scenario)), p.status(r.Status))
		for _, line := range lines {
			p.paragraph(out, "  ", line)
		}
	}
}

// noteLines are the law, the reason and what else a reader of a result wants;
// nothing for a clean pass.
func noteLines(r record.Result) []string {
	if r.Status == record.Pass && r.Verdict == record.Clean {
		return nil
	}
	var lines []string
	if r.Status == record.Fail && r.Expected != "" {
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
	if c := r.LawCheck; c != nil {
		lines = append(lines, lawCheckText(*c))
	}
	return lines
}

func lawCheckText(c record.LawCheck) string {
	return fmt.Sprintf("law tried out: predicted %s packets/s; at %s %s, at %s %s",
		number(c.PredictedPPS), number(c.Under.PPS), fellSilent(c.Under), number(c.Over.PPS), fellSilent(c.Over))
}

func fellSilent(r record.LawRun) string {
	if r.Stalled {
		return "the socket fell silent"
	}
	return "it stayed writable"
}

// skips collapses skips with the same reason and hint into one paragraph.
func (p painter) skips(out *bytes.Buffer, run record.Run) {
	names := map[string][]string{}
	var order []string
	total := 0
	for _, r := range run.Results {
		if r.Status != record.Skip {
			continue
		}
		total++
		why := sentence(r.Reason, r.Hint)
		if names[why] == nil {
			order = append(order, why)
		}
		names[why] = append(names[why], r.Scenario)
	}
	if total == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", p.dim(fmt.Sprintf("skipped: %d", total)))
	for _, why := range order {
		p.paragraph(out, "  ", strings.Join(names[why], ", ")+": "+why)
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
	fmt.Fprintf(out, "\ncontrols: %s\n", strings.Join(parts, "; "))
}

// summary is the last line: counts and time.
func (p painter) summary(out *bytes.Buffer, run record.Run) {
	if run.Trouble != "" {
		fmt.Fprintln(out)
		p.paragraph(out, "", "this run has trouble of its own: "+run.Trouble)
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
	fmt.Fprintf(out, "\n%s in %.1f s\n", p.bold(fmt.Sprintf("%d scenarios: %s", len(run.Results), strings.Join(parts, ", "))), run.Seconds)
}

// paragraph writes text wrapped to the width, each line indented.
func (p painter) paragraph(out *bytes.Buffer, indent, s string) {
	s = p.safe(s)
	if room := p.Width - len(indent); p.Width > 0 && room > 10 {
		s = text.WrapSoft(s, room)
	}
	for line := range strings.SplitSeq(s, "\n") {
		fmt.Fprintf(out, "%s%s\n", indent, strings.TrimRight(line, " "))
	}
}
