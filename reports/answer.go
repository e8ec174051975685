// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"skleak/record"
)

// answer is what a reader wants first: how many ran and whether all are as expected,
// what holds and who does, what was skipped and why.
func (p painter) answer(out *bytes.Buffer, run record.Run) {
	p.paragraph(out, "", p.verdictOf(run))
	if p.Quiet {
		return
	}
	if line := holding(run); line != "" {
		p.paragraph(out, "", p.safe(line))
	}
	if line := skipping(run); line != "" {
		p.paragraph(out, "", p.safe(line))
	}
}

// verdictOf is the one line on a run.
func (p painter) verdictOf(run record.Run) string {
	ran, odd, known := sorted(run.Results)
	text := fmt.Sprintf("%d of %d scenarios ran in %.1f s: ", ran, len(run.Results), run.Seconds)
	var parts []string
	switch {
	case run.Interrupted || run.Trouble != "":
		parts = append(parts, "it did not come to its end")
	case ran == 0:
		parts = append(parts, "nothing is shown")
	case len(odd)+len(known) == 0:
		parts = append(parts, "all as expected")
	case len(odd) == 0:
		parts = append(parts, "all others as expected")
	}
	if len(odd) > 0 {
		parts = append(parts, fmt.Sprintf("%d not as expected: %s", len(odd), few(odd, 5)))
	}
	if len(known) > 0 {
		parts = append(parts, fmt.Sprintf("%d a defect known upstream: %s", len(known), few(known, 5)))
	}
	for _, c := range run.Controls {
		if c.Status != record.Pass {
			parts = append(parts, fmt.Sprintf("the control %s does not behave", c.Scenario))
		}
	}
	if n := len(run.Crashes); n > 0 {
		parts = append(parts, fmt.Sprintf("the kernel crashed %d times", n))
	}
	return p.bold(p.safe(text + strings.Join(parts, "; ")))
}

// sorted counts what ran, and names what is not as expected and what is a known
// defect.
func sorted(results []record.Result) (ran int, odd, known []string) {
	for _, r := range results {
		if r.Status == record.Skip {
			continue
		}
		ran++
		name := fmt.Sprintf("%s %s", r.Scenario, cmp.Or(string(r.Verdict), string(r.Status)))
		switch r.Status {
		case record.Pass:
		case record.XFail:
			known = append(known, name)
		default:
			odd = append(odd, name)
		}
	}
	return ran, odd, known
}

// few are the first of them.
func few(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// holding counts what is held by who holds: qdisc tbf, nfqueue.
func holding(run record.Run) string {
	by, n := map[string]int{}, 0
	for _, r := range run.Results {
		if !holds(r) {
			continue
		}
		n++
		by[holderKind(r)]++
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d stall or hold what is sent, by %s", n, tally(by))
}

// holds says whether something stayed charged.
func holds(r record.Result) bool {
	switch r.Verdict {
	case record.Stalled, record.Held, record.Leaked, record.LostWakeup, record.Underflow:
		return true
	}
	return false
}

// holderKind is the holder without the link it is on.
func holderKind(r record.Result) string {
	if r.Holder == "" {
		return "nobody that is known"
	}
	kind, _, _ := strings.Cut(r.Holder, " on ")
	for _, what := range []string{"neighbour", "nfqueue", "reader", "driver", "listener"} {
		if strings.HasPrefix(kind, what+" ") {
			return what
		}
	}
	return kind
}

// tally writes counts, the greatest first.
func tally(counts map[string]int) string {
	names := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(names, func(a, b string) int { return counts[b] - counts[a] })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return few(parts, 12)
}

// skipping counts what was skipped by its cause.
func skipping(run record.Run) string {
	causes, total := skipCauses(run)
	if total == 0 {
		return ""
	}
	if len(causes) == 1 {
		return fmt.Sprintf("%d skipped: %s", total, causes[0].text())
	}
	return fmt.Sprintf("%d skipped, for %d causes; each is below with its cure", total, len(causes))
}

// cause is why scenarios were skipped: reasons that one cure helps with.
type cause struct {
	reasons []string
	hint    string
	names   []string
}

// text is the first reason, how many more there are, and the cure.
func (c cause) text() string {
	why := c.reasons[0]
	if more := len(c.reasons) - 1; more > 0 {
		why += fmt.Sprintf(" (and %d more like it)", more)
	}
	return sentence(why, c.hint)
}

// skipCauses are the causes, the greatest first.
func skipCauses(run record.Run) (out []cause, total int) {
	at := map[string]int{}
	for _, r := range run.Results {
		if r.Status != record.Skip {
			continue
		}
		total++
		key := cmp.Or(r.Hint, r.Reason)
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, cause{hint: r.Hint})
		}
		if !slices.Contains(out[i].reasons, r.Reason) {
			out[i].reasons = append(out[i].reasons, r.Reason)
		}
		out[i].names = append(out[i].names, r.Scenario)
	}
	slices.SortStableFunc(out, func(a, b cause) int { return len(b.names) - len(a.names) })
	return out, total
}

// folded is the report without -v: what is not as expected with its evidence, then
// the holds, then the rest in a line a verdict.
func (p painter) folded(out *bytes.Buffer, run record.Run) {
	var odd, held []record.Result
	rest := map[record.Verdict][]string{}
	for _, r := range rows(run) {
		switch {
		case r.Status != record.Pass:
			odd = append(odd, r)
		case holds(r):
			held = append(held, r)
		default:
			rest[r.Verdict] = append(rest[r.Verdict], r.Scenario)
		}
	}
	p.section(out, "not as expected", odd, p.columns())
	for _, r := range odd {
		p.note(out, r.Scenario, r.Status, append(noteLines(r), ladderLine(r)...))
	}
	p.section(out, "held, as expected", held, p.heldColumns())
	for _, v := range record.Verdicts() {
		if len(rest[v]) == 0 {
			continue
		}
		out.WriteByte('\n')
		p.paragraph(out, "", p.safe(fmt.Sprintf("%s, as expected, %d: %s", v, len(rest[v]), families(rest[v]))))
	}
	causes, total := skipCauses(run)
	if total > 0 {
		fmt.Fprintf(out, "\n%s\n", p.dim(fmt.Sprintf("skipped, %d", total)))
	}
	for _, c := range causes {
		p.paragraph(out, "  ", p.safe(fmt.Sprintf("%d: %s", len(c.names), c.text())))
	}
}

// namesUpTo is how many scenarios are named rather than counted.
const namesUpTo = 10

// families names scenarios, or counts them by family in the order of the alphabet
// where they are many.
func families(names []string) string {
	if len(names) <= namesUpTo {
		return strings.Join(names, ", ")
	}
	counts := map[string]int{}
	for _, name := range names {
		counts[family(name)]++
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

func (p painter) section(out *bytes.Buffer, title string, results []record.Result, cols []column) {
	if len(results) > 0 {
		fmt.Fprintf(out, "\n%s\n%s\n", p.bold(title), p.fitted(cols, results))
	}
}

// heldColumns have no status: the title says it.
func (p painter) heldColumns() []column {
	return slices.DeleteFunc(p.columns(), func(c column) bool {
		return slices.Contains([]string{"status", "B/pkt", "truesize", "charge"}, c.title)
	})
}

// ladderLine is the charge from rung to rung.
func ladderLine(r record.Result) []string {
	if len(r.Ladder) < 2 {
		return nil
	}
	parts := []string{fmt.Sprint(r.Ladder[0].Before)}
	for _, rung := range r.Ladder {
		parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(rung.Rung, "?"), rung.After))
	}
	return []string{"ladder, in bytes: " + strings.Join(parts, ", ")}
}
