// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"path/filepath"
	"strings"
	"testing"

	"skleak/internal/testkit"
	"skleak/record"
)

func TestMailGolden(t *testing.T) {
	e := sampleEvidence()
	e.Redact = NewRedactor("server7")
	testkit.Golden(t, filepath.Join("testdata", "mail.txt"), written(t, "mail", one(record.Fail), Options{Evidence: e}))
}

// on is a report of one scenario on several kernels, with what each showed.
func on(shown ...string) record.Report {
	rep := record.Report{Schema: record.ReportSchema}
	for _, text := range shown {
		release, status, _ := strings.Cut(text, " ")
		r := sampleHold()
		r.Status = record.Status(status)
		source, rest, _ := strings.Cut(release, "/")
		rep.Runs = append(rep.Runs, record.Run{Kernel: record.Kernel{Release: rest, Source: source + ":" + rest}, Results: []record.Result{r}})
	}
	return rep
}

// TestRegression: it is one only where all that is known agrees.
func TestRegression(t *testing.T) {
	for name, c := range map[string]struct {
		rep  record.Report
		want string
	}{
		"regression":   {on("path/6.12.3 pass", "path/6.1.5 pass", "path/7.3.0 fail", "path/6.18.1 fail"), "#regzbot introduced: v6.12.3..v6.18.1"},
		"distribution": {on("debian/6.1.5 pass", "debian/7.3.1 fail"), "try vanilla ones"},
		"always":       {on("path/6.1.5 fail", "path/7.3.1 fail"), ""},
		"fixed":        {on("path/6.1.5 fail", "path/7.3.1 pass"), ""},
		"to and fro":   {on("path/6.1.5 pass", "path/6.6.1 fail", "path/7.3.1 pass", "path/7.3.2 fail"), ""},
		"not known":    {on("path/6.1.5 pass", "path/6.6.0-3-generic fail"), ""},
		"known defect": {on("path/6.1.5 pass", "path/7.3.1 xfail"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := written(t, "mail", c.rep, Options{})
			is := strings.Contains(out, "Subject: [REGRESSION]") && strings.Contains(out, "Cc: regressions@lists.linux.dev")
			if is != (c.want != "") || !strings.Contains(out, c.want) {
				t.Errorf("want %q:\n%s", c.want, out)
			}
		})
	}
}

// TestMailIsMail: short lines, ASCII headers, and none that a text smuggles in.
func TestMailIsMail(t *testing.T) {
	for _, evil := range append(evils(), "x\nBcc: all@example.org", "-- \nx") {
		out := written(t, "mail", evilReport(evil), Options{Evidence: evilEvidence(evil)})
		for line := range strings.Lines(out) {
			if len(line) > 998 {
				t.Fatalf("%q: a line of %d bytes: %.80q", evil, len(line), line)
			}
		}
		if head, _, _ := strings.Cut(out, "\n\n"); strings.Contains(head, "\nBcc:") {
			t.Errorf("%q adds a header:\n%s", evil, head)
		}
	}
}

func TestMailOfNothing(t *testing.T) {
	if out := written(t, "mail", one(record.Pass), Options{}); !strings.Contains(out, "nothing to report") {
		t.Errorf("%s", out)
	}
	if out := written(t, "mail", one(record.Pass), Options{Evidence: Evidence{Chosen: true}}); !strings.HasPrefix(out, "Subject: [BUG]") {
		t.Errorf("%s", out)
	}
}
