// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"skleak/record"
)

// ktapLine is the grammar of a result line; the groups are "not ", the number,
// the description and what follows the hash sign.
var ktapLine = regexp.MustCompile(`^(not )?ok ([1-9][0-9]*) ([^#]*[^# ]) # (?:(SKIP|XFAIL|ERROR) )?(.*)$`)

// ktapParse is a strict reader: every line has to be one that the kernel's
// document knows, in its place. It gives the counts of the top level.
func ktapParse(lines []string, indent string) (map[string]int, []string, error) {
	next := func() string {
		line := lines[0]
		lines = lines[1:]
		return strings.TrimPrefix(line, indent)
	}
	if len(lines) < 2 || next() != "KTAP version 1" {
		return nil, nil, fmt.Errorf("no version line")
	}
	planText, ok := strings.CutPrefix(next(), "1..")
	plan, err := strconv.Atoi(planText)
	if !ok || err != nil {
		return nil, nil, fmt.Errorf("no plan line: %q", planText)
	}
	counts := map[string]int{}
	for n := 0; len(lines) > 0 && strings.HasPrefix(lines[0], indent); {
		if strings.HasPrefix(lines[0], indent+"  ") {
			if _, lines, err = ktapParse(lines, indent+"  "); err != nil {
				return nil, nil, err
			}
			continue
		}
		line := next()
		if totals, ok := strings.CutPrefix(line, "# Totals: "); ok {
			want := fmt.Sprintf("pass:%d fail:%d xfail:%d xpass:0 skip:%d error:%d",
				counts["ok"], counts["not "], counts["XFAIL"], counts["SKIP"], counts["not ERROR"])
			if totals != want || n != plan {
				return nil, nil, fmt.Errorf("totals %q, counted %q; %d of %d", totals, want, n, plan)
			}
			return counts, lines, nil
		}
		if strings.HasPrefix(line, "# ") {
			continue
		}
		m := ktapLine.FindStringSubmatch(line)
		if m == nil {
			return nil, nil, fmt.Errorf("no KTAP line: %q", line)
		}
		if n++; m[2] != strconv.Itoa(n) {
			return nil, nil, fmt.Errorf("number %s after %d", m[2], n-1)
		}
		key := m[1] + m[4]
		if key == "" {
			key = "ok"
		}
		counts[key]++
	}
	return nil, nil, fmt.Errorf("no totals")
}

func TestKTAPGrammar(t *testing.T) {
	several := sample()
	several.Runs = append(several.Runs, hostile().Runs...)
	for name, rep := range map[string]record.Report{"one": sample(), "several": several, "hostile": hostile(), "none": {}} {
		t.Run(name, func(t *testing.T) {
			out := strings.TrimSuffix(written(t, "ktap", rep, Options{}), "\n")
			_, rest, err := ktapParse(strings.Split(out, "\n"), "")
			if err != nil || len(rest) > 0 {
				t.Errorf("%v, %d lines left\n%s", err, len(rest), out)
			}
		})
	}
}

func TestKTAPStatuses(t *testing.T) {
	for _, c := range []struct {
		res  record.Result
		want string
	}{
		{record.Result{Scenario: "a/b", Status: record.Pass, Seconds: 0.0404}, "ok 1 a/b # time=40ms"},
		{record.Result{Scenario: "a/b", Status: record.Skip, Reason: "no a", Hint: "get a"}, "ok 1 a/b # SKIP no a; get a time=0ms"},
		{record.Result{Scenario: "a/b", Status: record.Fail, Verdict: record.Held, Reason: "skip"}, "not ok 1 a/b # found held: skip time=0ms"},
		{record.Result{Scenario: "a/b", Status: record.XFail, Known: &record.Known{Verdict: record.Leaked}}, "ok 1 a/b # XFAIL known: leaked time=0ms"},
		{record.Result{Scenario: "a/b", Status: record.Error, Reason: "x"}, "not ok 1 a/b # ERROR x time=0ms"},
		{record.Result{Scenario: "a/b", Status: record.Broken, Reason: "x"}, "not ok 1 a/b # ERROR x time=0ms"},
		{record.Result{Scenario: "a/b", Status: "new"}, "not ok 1 a/b # ERROR unknown status \"new\" time=0ms"},
		{record.Result{Scenario: "a#b\nok 2", Status: record.Pass}, `ok 1 a\x23b\nok 2 # time=0ms`},
	} {
		if got := strings.TrimSpace(ktapResult(c.res.Scenario, c.res).line(1)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestKTAPReadByPerl lets a parser that nobody here wrote read a report: perl's
// TAP::Parser, which takes a KTAP version line for an unknown line.
func TestKTAPReadByPerl(t *testing.T) {
	const script = `use TAP::Parser; local $/; my $p = TAP::Parser->new({tap => <STDIN>}); $p->run;
		print join(" ", scalar $p->passed, scalar $p->failed, scalar $p->skipped, $p->tests_planned, scalar $p->parse_errors), "\n";`
	if err := exec.Command("perl", "-MTAP::Parser", "-e", "1").Run(); err != nil {
		t.Skipf("perl with TAP::Parser is not installed: %v", err)
	}
	cmd := exec.Command("perl", "-e", script)
	cmd.Stdin = strings.NewReader(written(t, "ktap", sample(), Options{}))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, want := strings.TrimSpace(string(out)), "9 7 3 16 0"; got != want {
		t.Errorf("passed, failed, skipped, planned, errors: %s, want %s", got, want)
	}
}
