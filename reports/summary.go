// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"skleak/record"
)

// maxSummary bounds a summary in bytes: a comment on GitHub takes 65536
// characters, a step's summary 1 MiB.
const maxSummary = 60000

// maxTold bounds the results that a summary tells one by one.
const maxTold = 25

// writeSummary writes Markdown for a pull request or $GITHUB_STEP_SUMMARY: what is
// not as expected in full, and a folded line for each family of the rest.
func writeSummary(w io.Writer, rep record.Report, _ Options) error {
	s := &summaryText{rep: rep}
	s.head()
	s.told()
	s.families()
	out := s.out.String()
	if len(out) > maxSummary {
		out = strings.ToValidUTF8(out[:maxSummary], "") + "\n\nThe rest does not fit here; see the whole report.\n"
	}
	if _, err := io.WriteString(w, out); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

type summaryText struct {
	rep record.Report
	out strings.Builder
}

func (s *summaryText) line(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// mentionPattern finds what GitHub makes a mention or a link to an issue.
func mentionPattern() *regexp.Regexp { return regexp.MustCompile(`([@#])([0-9A-Za-z])`) }

// prose is a text of any origin as part of a line: it formats nothing, mentions
// nobody and links to nothing.
func prose(s string) string {
	s = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "~", `\~`,
		"|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "http", "<span>http</span>").Replace(harmless(s, false))
	return underscores(mentionPattern().ReplaceAllString(s, "$1<!-- -->$2"))
}

// underscores shows those that may begin or end emphasis as what they are; within a
// word they do neither (GitHub Flavored Markdown, 6.2).
func underscores(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '_' && (i == 0 || i == len(s)-1 || !alnum(s[i-1]) || !alnum(s[i+1])) {
			b.WriteString("&#95;")
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func alnum(c byte) bool { return c != '-' && c != '_' && wordy(c) }

// code is a text of any origin in a span of code.
func code(s string) string {
	s = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "&#124;", "`", "&#96;", "*", "&#42;", "[", "&#91;").Replace(harmless(s, false))
	return "<code>" + underscores(s) + "</code>"
}

// head is the answer.
func (s *summaryText) head() {
	sign := "✅"
	switch code := s.rep.ExitCode(false); code {
	case 1:
		sign = "❌"
	case 2:
		sign = "⚠️"
	}
	s.line("### %s skleak: %s\n", sign, summary(s.rep))
	for _, c := range sameCrashes(s.rep) {
		s.line("- ❌ **the kernel crashed**: %s", prose(c.line()))
	}
	for _, run := range s.rep.Runs {
		name := code(run.Kernel.Name())
		if run.Trouble != "" {
			s.line("- ⚠️ %s: %s", name, prose(run.Trouble))
		}
		if run.Interrupted {
			s.line("- ⚠️ %s: interrupted before its end", name)
		}
		for _, r := range run.Controls {
			if r.Status != record.Pass && r.Status != record.Skip {
				s.line("- ⚠️ %s: control %s is %s: %s", name, code(r.Scenario), prose(string(r.Status)), prose(r.Reason))
			}
		}
	}
}

// finding is a result that is told, and the kernels that show the same.
type finding struct {
	result  record.Result
	kernels []string
}

// findings are the results of a status, those that say the same on several kernels
// once.
func findings(rep record.Report, statuses ...record.Status) []finding {
	var found []finding
	index := map[string]int{}
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			flaky := r.Flaky && slices.Contains(statuses, record.Fail)
			if !flaky && !slices.Contains(statuses, r.Status) {
				continue
			}
			key := strings.Join([]string{r.Scenario, string(r.Status), string(r.Verdict), r.Holder}, "\x00")
			i, there := index[key]
			if !there {
				i = len(found)
				index[key] = i
				found = append(found, finding{result: r})
			}
			found[i].kernels = append(found[i].kernels, run.Kernel.Name())
		}
	}
	return found
}

// told is a table of what is not as expected, then of known defects.
func (s *summaryText) told() {
	s.table("Not as expected", findings(s.rep, record.Fail, record.Broken, record.Error))
	s.table("Known defects", findings(s.rep, record.XFail))
}

func (s *summaryText) table(title string, found []finding) {
	if len(found) == 0 {
		return
	}
	s.line("\n**%s**\n\n| scenario | found | expected | held | by | on | why |\n| --- | --- | --- | ---: | --- | --- | --- |", title)
	for _, f := range found[:min(len(found), maxTold)] {
		r := f.result
		why := r.Reason
		if r.Status == record.XFail {
			why = knownText(r)
		}
		if r.Flaky {
			why = "flaky: " + attemptsText(r)
		}
		s.line("| %s | **%s** | %s | %s | %s | %s | %s |", code(r.Scenario), prose(cmpOr(string(r.Verdict), string(r.Status))),
			prose(r.Expected), prose(bytesText(r.HeldBytes)), prose(r.Holder), kernelList(f.kernels), prose(short(why, 300)))
	}
	if left := len(found) - maxTold; left > 0 {
		s.line("\nand %d more.", left)
	}
}

// maxKernelsTold bounds the kernels named in one cell.
const maxKernelsTold = 4

func kernelList(names []string) string {
	shown := make([]string, 0, maxKernelsTold)
	for _, n := range names[:min(len(names), maxKernelsTold)] {
		shown = append(shown, code(n))
	}
	text := strings.Join(shown, " ")
	if left := len(names) - maxKernelsTold; left > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	return text
}

// families is a folded table: a row a kernel, and of each family what it holds.
func (s *summaryText) families() {
	if len(s.rep.Runs) == 0 {
		return
	}
	s.line("\n<details><summary>All results</summary>\n\n| kernel | as expected | known | not | trouble | skipped |\n| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, run := range s.rep.Runs {
		n := map[record.Status]int{}
		for _, r := range run.Results {
			n[r.Status]++
		}
		s.line("| %s | %d | %d | %d | %d | %d |", code(run.Kernel.Name()), n[record.Pass], n[record.XFail], n[record.Fail], n[record.Broken]+n[record.Error], n[record.Skip])
	}
	s.line("\n</details>")
}

// maxAnnotations is how many of a kind GitHub shows of one step.
const maxAnnotations = 10

// writeAnnotations writes commands to the runner of GitHub Actions. Their texts are
// made harmless, since what they stand in is meant to act.
func writeAnnotations(w io.Writer, rep record.Report, _ Options) error {
	var out strings.Builder
	say := func(kind string, found []finding) {
		for i, f := range found {
			if i == maxAnnotations-1 && len(found) > maxAnnotations {
				annotation(&out, kind, "skleak", fmt.Sprintf("and %d more", len(found)-i))
				break
			}
			r := f.result
			text := fmt.Sprintf("%s, expected %s, on %s: %s", cmpOr(string(r.Verdict), string(r.Status)), cmpOr(r.Expected, "nothing"), strings.Join(f.kernels, ", "), sentence(r.Reason, r.Hint))
			annotation(&out, kind, r.Scenario, text)
		}
	}
	for i, c := range sameCrashes(rep) {
		if i < maxAnnotations {
			annotation(&out, "error", "kernel crash", c.line())
		}
	}
	for _, run := range rep.Runs {
		if run.Trouble != "" {
			annotation(&out, "error", run.Kernel.Name(), run.Trouble)
		}
	}
	say("error", findings(rep, record.Fail, record.Broken, record.Error))
	say("warning", findings(rep, record.XFail))
	annotation(&out, "notice", "skleak", summary(rep))
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the annotations: %w", err)
	}
	return nil
}

// annotation writes one, escaped as actions/toolkit's command.ts does it.
func annotation(out *strings.Builder, kind, title, text string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	fmt.Fprintf(out, "::%s title=%s::%s\n", kind, property.Replace(harmless(title, false)), data.Replace(harmless(short(text, 1000), false)))
}
