package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/campaign"
	"skleak/record"
	"skleak/scenarios"
)

// twoRuns is a mutant that is found once and missed once.
func twoRuns() truthReport {
	hit := campaign.Truth{
		Mutant: "tun-no-orphan", Scenario: "tun/unread", Outcome: campaign.Hit, Verdict: record.Stalled,
		Expected: &campaign.Expected{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "reader of t0"},
		Holder:   "reader of t0", Held: 768,
		Ladder: []record.LadderStep{{Rung: "settle", Before: 768, After: 768}, {Rung: "reader drains", Before: 768, After: 0}},
	}
	miss := hit
	miss.Outcome, miss.Verdict, miss.Holder, miss.Held, miss.Ladder = campaign.Miss, record.Clean, "", 0, nil
	rep := truthReport{Kernel: "debian:6.1.192/amd64"}
	for _, table := range [][]campaign.Truth{{hit}, {miss}} {
		rep.Runs = append(rep.Runs, truthRun{Score: campaign.ScoreOf(table), Seconds: 12, Table: table})
	}
	return rep
}

func TestTruthRunsTellTheWorst(t *testing.T) {
	rep := twoRuns()
	rows := rep.rows()
	if len(rows) != 1 || rows[0].Outcome != campaign.Miss || rows[0].as != 1 || rows[0].of != 2 {
		t.Errorf("rows %+v", rows)
	}
	if got := []statusCode{rep.Runs[0].status(), rep.Runs[1].status()}; !cmp.Equal(got, []statusCode{0, 1}) {
		t.Errorf("statuses %v", got)
	}
}

func TestTruthFormats(t *testing.T) {
	for _, test := range []struct {
		format string
		want   []string
	}{
		{"table", []string{"tun-no-orphan  tun/unread  missed   1/2", "recall 1.000, precision 1.000; 12 s", "recall 0.000, precision -; 12 s"}},
		{"markdown", []string{
			"| 1 | 1 | 1 | 1.000 | 1.000 | 12 |", "| 2 | 1 | 0 | 0.000 | - | 12 |",
			"| tun-no-orphan | `tun/unread` | missed | 1 of 2 | clean |  | 0 |  |",
		}},
		{"json", []string{`"kernel": "debian:6.1.192/amd64"`, `"outcome": "missed"`, `"recall": 1`, `"precision": null`}},
	} {
		f := truthFlags{format: test.format}
		var out strings.Builder
		if err := f.printer(twoRuns())(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %q:\n%s", test.format, want, out.String())
			}
		}
	}
	bad := truthFlags{format: "html"}
	if _, err := bad.open(terminal{plain: io.Discard}); err == nil {
		t.Error("an unknown format was taken")
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

func TestSharesCoverAll(t *testing.T) {
	var rest []scenarios.Scenario
	for i := range 101 {
		rest = append(rest, scenarios.Scenario{Name: fmt.Sprintf("a/%d", i)})
	}
	for _, test := range []struct{ mutants, least int }{{1, 8}, {4, 8}, {40, 4}, {200, 4}} {
		seen := map[string]bool{}
		for i := range test.mutants {
			one := share(rest, i, test.mutants)
			if len(one) < test.least {
				t.Errorf("%d of %d: %d scenarios", i, test.mutants, len(one))
			}
			for _, sc := range one {
				seen[sc.Name] = true
			}
		}
		if test.mutants >= 40 && len(seen) != len(rest) {
			t.Errorf("%d mutants run %d of %d", test.mutants, len(seen), len(rest))
		}
	}
	if got := share(rest[:2], 0, 1); len(got) != 2 {
		t.Errorf("of two scenarios %d", len(got))
	}
}

func TestTruthWithLedgerSaysWhoNamedTheHolder(t *testing.T) {
	rep := twoRuns()
	rep.Runs = rep.Runs[:1]
	rep.Runs[0].Table[0].HolderBy = "ladder and ledger"
	var out strings.Builder
	if err := rep.markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| holder | named by |", "| reader of t0 | ladder and ledger | 768 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
}
