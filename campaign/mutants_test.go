// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

func shown(scenario string, v record.Verdict, holder string, held int64) record.Result {
	status := record.Pass
	if v != record.Clean {
		status = record.Fail
	}
	return record.Result{Scenario: scenario, Verdict: v, Status: status, Holder: holder, HeldBytes: held, Truesize: 768}
}

func usesTun(scenario string) bool { return strings.HasPrefix(scenario, "tun/") }

func stockRun() record.Run {
	return record.Run{
		Controls: []record.Result{shown("control/veth", record.Clean, "", 0)},
		Results: []record.Result{
			shown("dummy/up", record.Clean, "", 0),
			shown("tun/unread", record.Clean, "", 0),
			shown("tun/read", record.Clean, "", 0),
			{Scenario: "tun/backpressure", Status: record.Skip},
			shown("vlan/up", record.Clean, "", 0),
		},
	}
}

// with puts results in the place of those of the same scenario.
func with(run record.Run, other ...record.Result) record.Run {
	for _, res := range other {
		for i := range run.Controls {
			if run.Controls[i].Scenario == res.Scenario {
				run.Controls[i] = res
			}
		}
		for i := range run.Results {
			if run.Results[i].Scenario == res.Scenario {
				run.Results[i] = res
			}
		}
	}
	return run
}

func TestTrial(t *testing.T) {
	must := []record.Found{{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "reader of *"}}
	counted := []record.Found{{Scenario: "tun/unread", Verdict: record.Stalled, Count: 139}}
	found := shown("tun/unread", record.Stalled, "reader of t0", 139*768)
	type lines map[string]record.Outcome
	for _, test := range []struct {
		name      string
		expected  []record.Found
		run       record.Run
		want      lines
		recall    float64
		precision float64
	}{
		{"found", must, with(stockRun(), found), lines{"tun/unread": record.OutcomeHit}, 1, 1},
		{"missed", must, stockRun(), lines{"tun/unread": record.OutcomeMiss}, 0, none},
		{"not in the catalogue", []record.Found{{Scenario: "no/such", Verdict: record.Held}}, stockRun(), lines{"no/such": record.OutcomeMiss}, 0, none},
		{"must stay clean", []record.Found{{Scenario: "tun/read", Verdict: record.Clean}}, stockRun(), lines{"tun/read": record.OutcomeKept}, none, none},
		{"does not stay clean", []record.Found{{Scenario: "tun/read", Verdict: record.Clean}},
			with(stockRun(), shown("tun/read", record.Held, "", 768)), lines{"tun/read": record.OutcomeFalse}, none, 0},
		{"wrong holder", must, with(stockRun(), shown("tun/unread", record.Stalled, "qdisc", 1)), lines{"tun/unread": record.OutcomeWrong}, 0, 0},
		{"wrong verdict", must, with(stockRun(), shown("tun/unread", record.Leaked, "reader of t0", 1)), lines{"tun/unread": record.OutcomeWrong}, 0, 0},
		{"right amount", counted, with(stockRun(), found), lines{"tun/unread": record.OutcomeHit}, 1, 1},
		{"wrong amount", counted, with(stockRun(), shown("tun/unread", record.Stalled, "", 138*768)), lines{"tun/unread": record.OutcomeWrong}, 0, 0},
		{"another that uses it", must, with(stockRun(), found, shown("tun/read", record.Held, "", 768)),
			lines{"tun/unread": record.OutcomeHit, "tun/read": record.OutcomeAlso}, 1, 1},
		{"one that does not use it", must, with(stockRun(), found, shown("dummy/up", record.Held, "", 768)),
			lines{"tun/unread": record.OutcomeHit, "dummy/up": record.OutcomeFalse}, 1, 0.5},
		{"a known defect that shows at times", must, with(stockRun(), found,
			record.Result{Scenario: "vlan/up", Status: record.XFail, Verdict: record.Stalled}), lines{"tun/unread": record.OutcomeHit}, 1, 1},
		{"a known defect beside a broken control", must, with(stockRun(), found, record.Result{
			Scenario: "vlan/up", Status: record.Broken, Verdict: record.Stalled, Attempts: []record.Attempt{{Status: record.XFail}},
		}), lines{"tun/unread": record.OutcomeHit}, 1, 1},
		{"a control", must, with(stockRun(), found, shown("control/veth", record.Held, "", 768)),
			lines{"tun/unread": record.OutcomeHit, "control/veth": record.OutcomeFalse}, 1, 0.5},
		{"trouble", must, with(stockRun(), record.Result{Scenario: "tun/unread", Status: record.Error}), lines{"tun/unread": record.OutcomeTrouble}, 0, none},
		{"either is sound", nil, with(stockRun(), record.Result{Scenario: "tun/read", Verdict: record.Refused, Status: record.Pass}), lines{}, none, none},
		{"nothing said", nil, with(stockRun(), found), lines{"tun/unread": record.OutcomeAlso}, none, 1},
		{"found, but in a scenario that the stock kernel cannot run", []record.Found{{Scenario: "tun/backpressure", Verdict: record.Held, Holder: "*"}},
			with(stockRun(), shown("tun/backpressure", record.Held, "reader of t0", 768)), lines{"tun/backpressure": record.OutcomeTrouble}, 0, none},
		{"holder not known, and nobody named", []record.Found{{Scenario: "tun/unread", Verdict: record.Stalled, Holder: record.NotKnown}},
			with(stockRun(), shown("tun/unread", record.Stalled, "", 768)), lines{"tun/unread": record.OutcomeHit}, 1, 1},
		{"holder not known, and somebody accused", []record.Found{{Scenario: "tun/unread", Verdict: record.Stalled, Holder: record.NotKnown}},
			with(stockRun(), found), lines{"tun/unread": record.OutcomeWrong}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := Trial{Mutant: "m", Uses: usesTun, Expected: test.expected, Stock: stockRun(), Run: test.run}.Judge()
			got := lines{}
			for _, line := range table {
				got[line.Scenario] = line.Outcome
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			s := record.ScoreOf(table)
			if recall, precision := figure(s.Recall), figure(s.Precision); recall != test.recall || precision != test.precision {
				t.Errorf("recall %g, precision %g; want %g, %g", recall, precision, test.recall, test.precision)
			}
		})
	}
}

// none stands for a share of nothing.
const none = -1

func figure(share *float64) float64 {
	if share == nil {
		return none
	}
	return *share
}

// What the stock kernel shows as well is not found; with another holder it is.
func TestTrialAgainstTheSameOnStock(t *testing.T) {
	e := []record.Found{{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "*"}}
	mutated := shown("tun/unread", record.Stalled, "reader of t0", 768)
	for _, c := range []struct {
		stock record.Result
		want  record.Outcome
	}{
		{shown("tun/unread", record.Stalled, "reader of t0", 768), record.OutcomeMiss},
		{shown("tun/unread", record.Stalled, "reader of t0", 1536), record.OutcomeMiss},
		{shown("tun/unread", record.Stalled, "qdisc tbf on t0", 768), record.OutcomeHit},
		{shown("tun/unread", record.Held, "reader of t0", 768), record.OutcomeHit},
		{shown("tun/unread", record.Clean, "", 0), record.OutcomeHit},
		{record.Result{Scenario: "tun/unread", Status: record.Error, Reason: "pipe burst"}, record.OutcomeTrouble},
	} {
		trial := Trial{Mutant: "m", Uses: usesTun, Expected: e, Stock: with(stockRun(), c.stock), Run: with(stockRun(), mutated)}
		line := trial.Judge()[0]
		if line.Outcome != c.want {
			t.Errorf("stock %s by %q: %s (%s), want %s", c.stock.Verdict, c.stock.Holder, line.Outcome, line.Reason, c.want)
		}
		if c.want == record.OutcomeMiss && !strings.Contains(line.Reason, "stock kernel shows the same") {
			t.Errorf("reason %q", line.Reason)
		}
	}
}

// A mutant that only must stay clean is none that was sought, and nothing sought
// is no recall.
func TestScoreOfNothing(t *testing.T) {
	clean := record.Truth{Mutant: "m", Outcome: record.OutcomeKept, Expected: &record.Found{Scenario: "a/b", Verdict: record.Clean}}
	for _, table := range [][]record.Truth{nil, {clean}} {
		s := record.ScoreOf(table)
		if s.Mutants != 0 || s.Found != 0 || s.Recall != nil || s.Precision != nil {
			t.Errorf("%+v", s)
		}
	}
	hit := record.Truth{Mutant: "n", Outcome: record.OutcomeHit, Expected: &record.Found{Scenario: "a/c", Verdict: record.Held}}
	spoilt := clean
	spoilt.Outcome, spoilt.Mutant = record.OutcomeFalse, "n"
	s := record.ScoreOf([]record.Truth{hit, spoilt, clean})
	if s.Mutants != 1 || s.Found != 0 || figure(s.Recall) != 1 || figure(s.Precision) != 0.5 {
		t.Errorf("%+v", s)
	}
}

func TestSilent(t *testing.T) {
	for _, test := range []struct {
		name string
		run  record.Run
		want bool
	}{
		{"as stock", stockRun(), true},
		{"one that uses the module", with(stockRun(), shown("tun/read", record.Held, "", 768)), false},
		{"one that does not", with(stockRun(), shown("dummy/up", record.Held, "", 768)), true},
	} {
		if got := (Trial{Uses: usesTun, Stock: stockRun(), Run: test.run}).Silent(); got != test.want {
			t.Errorf("%s: silent %t", test.name, got)
		}
	}
}

func TestStockTruth(t *testing.T) {
	if table := StockTruth(stockRun()); len(table) != 0 {
		t.Errorf("a sound stock kernel gave %v", table)
	}
	bad := shown("dummy/up", record.Orphaned, "", 0)
	bad.Status = record.Fail
	s := record.ScoreOf(StockTruth(with(stockRun(), bad)))
	if s.Perfect() || figure(s.Precision) != 0 || s.Recall != nil {
		t.Errorf("a fail on the stock kernel gave %+v", s)
	}
}
