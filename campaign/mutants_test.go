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
	must := []Expected{{Scenario: "tun/unread", Verdict: record.Stalled, Holder: "reader of *"}}
	counted := []Expected{{Scenario: "tun/unread", Verdict: record.Stalled, Packets: 139}}
	found := shown("tun/unread", record.Stalled, "reader of t0", 139*768)
	type lines map[string]Outcome
	for _, test := range []struct {
		name      string
		expected  []Expected
		run       record.Run
		want      lines
		recall    float64
		precision float64
	}{
		{"found", must, with(stockRun(), found), lines{"tun/unread": Hit}, 1, 1},
		{"missed", must, stockRun(), lines{"tun/unread": Miss}, 0, 1},
		{"not in the catalogue", []Expected{{Scenario: "no/such", Verdict: record.Held}}, stockRun(), lines{"no/such": Miss}, 0, 1},
		{"must stay clean", []Expected{{Scenario: "tun/read", Verdict: record.Clean}}, stockRun(), lines{"tun/read": Kept}, 1, 1},
		{"does not stay clean", []Expected{{Scenario: "tun/read", Verdict: record.Clean}},
			with(stockRun(), shown("tun/read", record.Held, "", 768)), lines{"tun/read": False}, 1, 0},
		{"wrong holder", must, with(stockRun(), shown("tun/unread", record.Stalled, "qdisc", 1)), lines{"tun/unread": Wrong}, 0, 0},
		{"wrong verdict", must, with(stockRun(), shown("tun/unread", record.Leaked, "reader of t0", 1)), lines{"tun/unread": Wrong}, 0, 0},
		{"right amount", counted, with(stockRun(), found), lines{"tun/unread": Hit}, 1, 1},
		{"wrong amount", counted, with(stockRun(), shown("tun/unread", record.Stalled, "", 138*768)), lines{"tun/unread": Wrong}, 0, 0},
		{"another that uses it", must, with(stockRun(), found, shown("tun/read", record.Held, "", 768)),
			lines{"tun/unread": Hit, "tun/read": Also}, 1, 1},
		{"one that does not use it", must, with(stockRun(), found, shown("dummy/up", record.Held, "", 768)),
			lines{"tun/unread": Hit, "dummy/up": False}, 1, 0.5},
		{"a known defect that shows at times", must, with(stockRun(), found,
			record.Result{Scenario: "vlan/up", Status: record.XFail, Verdict: record.Stalled}), lines{"tun/unread": Hit}, 1, 1},
		{"a known defect beside a broken control", must, with(stockRun(), found, record.Result{
			Scenario: "vlan/up", Status: record.Broken, Verdict: record.Stalled, Attempts: []record.Attempt{{Status: record.XFail}},
		}), lines{"tun/unread": Hit}, 1, 1},
		{"a control", must, with(stockRun(), found, shown("control/veth", record.Held, "", 768)),
			lines{"tun/unread": Hit, "control/veth": False}, 1, 0.5},
		{"trouble", must, with(stockRun(), record.Result{Scenario: "tun/unread", Status: record.Error}), lines{"tun/unread": Trouble}, 0, 1},
		{"either is sound", nil, with(stockRun(), record.Result{Scenario: "tun/read", Verdict: record.Refused, Status: record.Pass}), lines{}, 1, 1},
		{"nothing said", nil, with(stockRun(), found), lines{"tun/unread": Also}, 1, 1},
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
			s := ScoreOf(table)
			if s.Recall != test.recall || s.Precision != test.precision {
				t.Errorf("recall %g, precision %g; want %g, %g", s.Recall, s.Precision, test.recall, test.precision)
			}
		})
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
	s := ScoreOf(StockTruth(with(stockRun(), bad)))
	if s.Perfect() || s.Precision != 0 {
		t.Errorf("a fail on the stock kernel gave %+v", s)
	}
}
