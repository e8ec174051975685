// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"io"
	"strings"
	"testing"

	"skleak/record"
)

func TestTruthFlags(t *testing.T) {
	miss := record.Truth{Mutant: "tun-no-orphan", Scenario: "tun/unread", Outcome: record.OutcomeMiss}
	table := []record.Truth{miss}
	rep := record.TruthReport{
		Kernel: "debian:6.1.192/amd64",
		Runs:   []record.TruthRun{{Score: record.ScoreOf(table), Seconds: 12, Table: table}},
	}
	for format, want := range map[string]string{
		"table": "tun-no-orphan  tun/unread  missed", "markdown": "| tun-no-orphan | `tun/unread` | missed |",
		"json": `"kernel": "debian:6.1.192/amd64"`,
	} {
		f := truthFlags{format: format}
		var out strings.Builder
		if err := f.printer(rep)(&out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %q:\n%s", format, want, out.String())
		}
	}
	bad := truthFlags{format: "html"}
	if _, err := bad.open(terminal{plain: io.Discard}); err == nil {
		t.Error("an unknown format was taken")
	}
}
