// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"skleak/record"
)

// writeMarkdown writes a table of the kernels, one of scenarios by kernels, and
// notes on what was skipped or is not as expected.
func writeMarkdown(w io.Writer, rep record.Report, _ Options) error {
	m := &markdown{rep: rep}
	m.kernels()
	m.scenarios()
	m.remarks()
	if _, err := io.WriteString(w, m.text.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type markdown struct {
	rep   record.Report
	text  strings.Builder
	notes []string
}

// MarkdownRow is one line of a Markdown table. What its cells hold is made
// harmless.
func MarkdownRow(cells ...string) string {
	safe := make([]string, 0, len(cells))
	for _, c := range cells {
		safe = append(safe, strings.ReplaceAll(markdownText(c), "|", `\|`))
	}
	return fmt.Sprintf("| %s |\n", strings.Join(safe, " | "))
}

// markdownText is one line that begins no tag and no link, whoever wrote it. What
// skleak puts around a name stays.
func markdownText(s string) string {
	return strings.NewReplacer("<", "&lt;", "](", `]\(`).Replace(harmless(s, false))
}

// MarkdownHead is the two lines that a Markdown table begins with.
func MarkdownHead(cells ...string) string {
	return MarkdownRow(cells...) + strings.Repeat("| --- ", len(cells)) + "|\n"
}

func (m *markdown) row(cells ...string)  { m.text.WriteString(MarkdownRow(cells...)) }
func (m *markdown) head(cells ...string) { m.text.WriteString(MarkdownHead(cells...)) }

// kernels says of each run what it came to.
func (m *markdown) kernels() {
	m.head("kernel", "release", "pass", "xfail", "skip", "fail", "error", "bytes a Hello", "controls", "seconds")
	for _, run := range m.rep.Runs {
		n := map[record.Status]int{}
		for _, r := range run.Results {
			n[r.Status]++
		}
		m.row(run.Kernel.Name(), run.Kernel.Release, fmt.Sprint(n[record.Pass]), fmt.Sprint(n[record.XFail]), fmt.Sprint(n[record.Skip]),
			fmt.Sprint(n[record.Fail]), fmt.Sprint(n[record.Error]+n[record.Broken]), hello(run), controlsText(run), fmt.Sprintf("%.0f", run.Seconds))
		if run.Trouble != "" {
			m.notes = append(m.notes, run.Kernel.Name()+": "+run.Trouble)
		}
	}
	for _, c := range sameCrashes(m.rep) {
		m.notes = append(m.notes, "the kernel crashed: "+c.line())
	}
	m.text.WriteString("\n")
}

// hello lists the charges measured for one packet by the raw socket's Hellos.
func hello(run record.Run) string {
	var sizes []string
	for _, r := range slices.Concat(run.Controls, run.Results) {
		if r.Truesize == 0 || !strings.HasPrefix(r.Scenario, "control/") && !strings.HasPrefix(r.Scenario, "hold/") {
			continue
		}
		if text := fmt.Sprint(r.Truesize); !slices.Contains(sizes, text) {
			sizes = append(sizes, text)
		}
	}
	return strings.Join(sizes, ", ")
}

func controlsText(run record.Run) string {
	var words []string
	for _, r := range run.Controls {
		words = append(words, strings.TrimPrefix(r.Scenario, "control/")+" "+string(r.Verdict))
	}
	return strings.Join(words, ", ")
}

// scenarios is the table of scenarios by kernels.
func (m *markdown) scenarios() {
	heads := []string{"scenario"}
	var names []string
	for _, run := range m.rep.Runs {
		heads = append(heads, run.Kernel.Name())
		for _, r := range run.Results {
			if !slices.Contains(names, r.Scenario) {
				names = append(names, r.Scenario)
			}
		}
	}
	m.head(heads...)
	for _, name := range names {
		cells := []string{"`" + name + "`"}
		for _, run := range m.rep.Runs {
			cells = append(cells, m.cell(run, name))
		}
		m.row(cells...)
	}
	m.text.WriteString("\n")
}

// cell is what one kernel shows in one scenario; what is not told by a verdict
// gets a note.
func (m *markdown) cell(run record.Run, scenario string) string {
	i := slices.IndexFunc(run.Results, func(r record.Result) bool { return r.Scenario == scenario })
	if i < 0 {
		return "not run"
	}
	r := run.Results[i]
	shown := string(r.Verdict)
	if r.HeldBytes > 0 {
		shown += fmt.Sprintf(" %d", r.HeldBytes)
	}
	if r.Flaky {
		shown += " (flaky)"
	}
	switch r.Status {
	case record.Pass:
		return shown
	case record.Skip:
		return "skip" + m.note(sentence(r.Reason, r.Hint))
	case record.XFail:
		return "xfail " + shown + m.note(knownText(r)+": "+r.Reason)
	default:
		return "**" + strings.TrimSpace(string(r.Status)+" "+shown) + "**" + m.note(r.Reason)
	}
}

// note keeps a remark, once, and gives the mark that leads to it.
func (m *markdown) note(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if first == "" {
		return ""
	}
	i := slices.Index(m.notes, first)
	if i < 0 {
		i = len(m.notes)
		m.notes = append(m.notes, first)
	}
	return fmt.Sprintf(" [%d]", i+1)
}

func (m *markdown) remarks() {
	for i, text := range m.notes {
		fmt.Fprintf(&m.text, "%d. %s\n", i+1, markdownText(strings.TrimSuffix(text, ": ")))
	}
}
