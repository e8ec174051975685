// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"regexp"
	"strings"
	"testing"

	"skleak/record"
)

func TestProseFormatsNothing(t *testing.T) {
	for in, want := range map[string]string{
		"veth_xmit by qdisc tbf on v0": "veth_xmit by qdisc tbf on v0",
		"_x_ __y__":                    "&#95;x&#95; &#95;&#95;y&#95;&#95;",
		"<b>@torvalds #1 [a](b)":       `&lt;b&gt;@<!-- -->torvalds #<!-- -->1 \[a\](b)`,
		"`x` *y* ~~z~~ a|b \\":         "\\`x\\` \\*y\\* \\~\\~z\\~\\~ a\\|b \\\\",
		"see https://x.example":        "see <span>http</span>s://x.example",
		"a\nb\x1b":                     `a\\nb\\x1b`,
	} {
		if got := prose(in); got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
}

// TestSummaryIsShort whatever the report: GitHub refuses a long one.
func TestSummaryIsShort(t *testing.T) {
	rep := large(60, 300)
	for i := range rep.Runs {
		rep.Runs[i].Controls = nil
		for j := range rep.Runs[i].Results {
			rep.Runs[i].Results[j].Status = record.Fail
			rep.Runs[i].Results[j].Reason = strings.Repeat("é", 5000)
		}
	}
	out := written(t, "summary", rep, Options{})
	if len(out) > 65000 || !strings.Contains(out, "and 275 more.") || !strings.Contains(out, "❌") {
		t.Errorf("%d bytes: %.400s", len(out), out)
	}
}

// TestAnnotations: only the commands asked for, at most ten of a kind, whatever the
// report says.
func TestAnnotations(t *testing.T) {
	rep := large(2, 100)
	rep.Runs = append(rep.Runs, hostile().Runs...)
	rep.Runs[0].Results[0].Status = record.Fail
	rep.Runs[0].Results[0].Scenario = "a,b::error file=x::\n::error::y%0A::add-mask::z"
	out := written(t, "annotations", rep, Options{})
	n := map[string]int{}
	pattern := regexp.MustCompile(`^::(error|warning|notice) title=[^:,\n]*::[^\n\r]*$`)
	for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		m := pattern.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no command: %q", line)
		}
		n[m[1]]++
	}
	if n["error"] < 2 || n["error"] > 2*maxAnnotations || n["warning"] < 1 || n["warning"] > maxAnnotations || n["notice"] != 1 {
		t.Errorf("%v\n%s", n, out)
	}
	if strings.Contains(out, "%0A") && !strings.Contains(out, "%250A") {
		t.Errorf("a percent sign passes:\n%s", out)
	}
}
