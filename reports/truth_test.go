// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

// twoRuns is a mutant that is found once and missed once.
func twoRuns() record.TruthReport {
	hit := record.Truth{
		Mutant: "tun-no-orphan", Scenario: "tun/unread", Outcome: record.OutcomeHit, Verdict: record.Stalled,
		Expected: &record.Found{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "reader of t0"},
		Holder:   "reader of t0", Held: 768,
		Ladder: []record.LadderStep{{Rung: "settle", Before: 768, After: 768}, {Rung: "reader drains", Before: 768, After: 0}},
	}
	miss := hit
	miss.Outcome, miss.Verdict, miss.Holder, miss.Held, miss.Ladder = record.OutcomeMiss, record.Clean, "", 0, nil
	rep := record.TruthReport{Kernel: "debian:6.1.192/amd64"}
	for _, table := range [][]record.Truth{{hit}, {miss}} {
		rep.Runs = append(rep.Runs, record.TruthRun{Score: record.ScoreOf(table), Seconds: 12, Table: table})
	}
	return rep
}

func TestTruthRunsTellTheWorst(t *testing.T) {
	rep := twoRuns()
	rows := truthRows(rep)
	if len(rows) != 1 || rows[0].Outcome != record.OutcomeMiss || rows[0].as != 1 || rows[0].of != 2 {
		t.Errorf("rows %+v", rows)
	}
	if got := []int{rep.Runs[0].ExitCode(), rep.Runs[1].ExitCode()}; !cmp.Equal(got, []int{0, 1}) {
		t.Errorf("statuses %v", got)
	}
}

func TestTruthFormats(t *testing.T) {
	for _, test := range []struct {
		format string
		write  func(io.Writer, record.TruthReport) error
		want   []string
	}{
		{"table", TruthTable, []string{"tun-no-orphan  tun/unread  missed   1/2", "recall 1.000, precision 1.000; 12 s", "recall 0.000, precision -; 12 s"}},
		{"markdown", TruthMarkdown, []string{
			"| 1 | 1 | 1 | 1.000 | 1.000 | 12 |", "| 2 | 1 | 0 | 0.000 | - | 12 |",
			"| tun-no-orphan | `tun/unread` | missed | 1 of 2 | clean |  | 0 |  |",
		}},
	} {
		var out strings.Builder
		if err := test.write(&out, twoRuns()); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %q:\n%s", test.format, want, out.String())
			}
		}
	}
}

func TestLadderText(t *testing.T) {
	got := ladderText([]record.LadderStep{
		{Rung: "link down", Before: 9, After: 9}, {Rung: "lower link down", Before: 9, After: 9}, {Rung: "lower link down", Before: 9, After: 9},
	})
	if want := "9, link down 9, lower link down 9"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTruthWithLedgerSaysWhoNamedTheHolder(t *testing.T) {
	rep := twoRuns()
	rep.Runs = rep.Runs[:1]
	rep.Runs[0].Table[0].HolderBy = "ladder and ledger"
	var out strings.Builder
	if err := TruthMarkdown(&out, rep); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| holder | named by |", "| reader of t0 | ladder and ledger | 768 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
}
