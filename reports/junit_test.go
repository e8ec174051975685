// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/joshdk/go-junit"

	"skleak/record"
)

// junitRead lets a parser that nobody here wrote read a report.
func junitRead(t *testing.T, rep record.Report) []junit.Suite {
	t.Helper()
	out := written(t, "junit", rep, Options{})
	suites, err := junit.Ingest([]byte(out))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return suites
}

func TestJUnitReadBack(t *testing.T) {
	rep := sample()
	rep.Runs[0].Kernel.Cmdline = `console=ttyS0 a="<b>"`
	rep.Runs[0].Kernel.Config = "e3b0c442"
	rep.Runs[0].Notes = []string{"one", "two\x00"}
	suites := junitRead(t, rep)
	if len(suites) != 1 {
		t.Fatalf("%d suites", len(suites))
	}
	s := suites[0]
	if diff := cmp.Diff(map[string]string{
		"kernel.release": "6.18.44", "kernel.version": "#1 SMP", "kernel.arch": "x86_64", "kernel.source": "host",
		"kernel.cmdline": `console=ttyS0 a="<b>"`, "kernel.config.sha256": "e3b0c442",
	}, s.Properties); diff != "" {
		t.Error(diff)
	}
	if s.SystemOut != "one\ntwo\\x00" {
		t.Errorf("notes %q", s.SystemOut)
	}
	if n := s.Totals; n.Tests != 16 || n.Passed != 5 || n.Failed != 4 || n.Error != 3 || n.Skipped != 4 {
		t.Errorf("totals %+v", n)
	}
	for i, want := range []struct {
		class, name, message string
		status               junit.Status
		out                  string
	}{
		0: {"host.hold", "control hold/tbf", "", junit.StatusPassed, "qdisc tbf on u0"},
		1: {"host.veth", "control veth/same-netns", "832 bytes were held", junit.StatusError, "verdict held, expected clean"},
		3: {"host.hold", "hold/tbf", "", junit.StatusPassed, "ladder: qdisc deleted tbf on u0: 213824 to 0"},
		4: {"host.tun", "tun/backpressure", "not available here; it needs Linux 7.2", junit.StatusSkipped, ""},
		6: {"host.team", "team/broadcast-no-port", "known: leaked, fixed by 489114c9ecae", junit.StatusSkipped, "law: held for good"},
		7: {"host.ipvlan", "ipvlan/l2", "found held, expected clean", junit.StatusFailed, "flaky: try 1 held"},
	} {
		if want.name == "" {
			continue
		}
		got := s.Tests[i]
		if got.Classname != want.class || got.Name != want.name || got.Status != want.status ||
			!strings.Contains(got.Message, want.message) || !strings.Contains(got.SystemOut, want.out) || want.out == "" && got.SystemOut != "" {
			t.Errorf("test %d: %+v, want %+v", i, got, want)
		}
	}
	if d := s.Tests[6].Duration; d != 4500*time.Millisecond {
		t.Errorf("time %v", d)
	}
}

func TestJUnitNoResultIsNoSuccess(t *testing.T) {
	for name, run := range map[string]record.Run{
		"trouble":     {Trouble: "shard 2/3 is missing"},
		"interrupted": {Interrupted: true},
		"empty":       {},
		"unknown":     {Results: []record.Result{{Scenario: "a/b", Status: "new"}}},
		"no status":   {Results: []record.Result{{Scenario: "a/b"}}},
		"trouble after results": {
			Results: []record.Result{{Scenario: "a/b", Status: record.Pass}}, Trouble: "the guest died",
		},
	} {
		t.Run(name, func(t *testing.T) {
			suites := junitRead(t, record.Report{Runs: []record.Run{run}})
			if len(suites) != 1 || suites[0].Totals.Error != 1 {
				t.Errorf("%+v", suites)
			}
		})
	}
}

func TestJUnitHostileTextIsReadBack(t *testing.T) {
	rep := hostile()
	rep.Runs[0].Results[0].Reason += "]]><failure>&amp;\ufffe\x01"
	suites := junitRead(t, rep)
	if len(suites) != 1 {
		t.Fatalf("%d suites", len(suites))
	}
	s := suites[0]
	if n := s.Totals; n.Tests != 6 || n.Failed != 2 || n.Skipped != 2 || n.Error != 2 {
		t.Errorf("totals %+v", n)
	}
	if m := s.Tests[1].Message; !strings.Contains(m, `]]><failure>&amp;\ufffe\x01`) {
		t.Errorf("message %q", m)
	}
	if o := s.Tests[1].SystemOut; !strings.Contains(o, "]]><failure>") {
		t.Errorf("system-out %q", o)
	}
}
