// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// fake is a Runner that yields prepared events, one list a call, for the
// scenarios it is asked for.
type fake struct {
	rounds []map[string]record.Event
	calls  [][]string
	err    error
}

func (f *fake) Run(_ context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		round := f.rounds[min(len(f.calls), len(f.rounds)-1)]
		var names []string
		for _, sc := range list {
			names = append(names, sc.Name)
		}
		f.calls = append(f.calls, names)
		if !yield(record.Event{Kind: record.EventHello, Kernel: &record.Kernel{Release: "6.1"}}, nil) {
			return
		}
		for _, sc := range list {
			e, ok := round[sc.Name]
			if !ok {
				break
			}
			e.Scenario = sc.Name
			if !yield(e, nil) {
				return
			}
		}
		if f.err != nil {
			yield(record.Event{}, f.err)
		}
	}
}

func cleanEvent() record.Event {
	return record.Event{Kind: record.EventTrace, Trace: &record.Trace{
		Schema: record.TraceSchema, Sent: 3000, Truesize: 832, SocketsBefore: 1, SocketsAfter: 1,
		Settle:  record.Reading{Writable: true, PerSocket: []uint32{0}},
		Sockets: []record.SocketTrace{{Name: "v0", SndBuf: 212992, Peak: 832, Sent: 3000, PacketsToStall: -1}},
	}}
}

func stalledEvent() record.Event {
	e := cleanEvent()
	t := e.Trace
	t.Settle = record.Reading{Bytes: 106496, PerSocket: []uint32{106496}}
	t.Sockets[0].Peak, t.Sockets[0].PacketsToStall = 106496, 128
	t.Rungs = []record.RungTrace{{Rung: record.RungQdisc, On: "tbf on v0", Holder: "qdisc tbf on v0", Before: 106496}}
	return e
}

// controls are one of each kind.
func controls() []scenarios.Scenario {
	return []scenarios.Scenario{
		scenario("control/tbf", scenarios.ControlMustHold, record.Stalled), scenario("control/veth", scenarios.ControlMustNot, record.Clean),
	}
}

// sound adds what a whole instrument shows of these to events.
func sound(events map[string]record.Event) map[string]record.Event {
	events["control/tbf"], events["control/veth"] = stalledEvent(), cleanEvent()
	return events
}

func scenario(name string, control scenarios.ControlKind, expect ...record.Verdict) scenarios.Scenario {
	sc := scenarios.Scenario{Name: name, Control: control, Expect: expect, Traffic: scenarios.Traffic{Count: 3000}}
	if control == scenarios.ControlMustHold {
		sc.Shows = &scenarios.Shows{Holder: "qdisc tbf on v0", ReleasedBy: "qdisc deleted"}
	}
	return sc
}

func statuses(results []record.Result) map[string]record.Status {
	m := map[string]record.Status{}
	for _, r := range results {
		m[r.Scenario] = r.Status
	}
	return m
}

func TestStatuses(t *testing.T) {
	lasting := scenario("f/lasting", "", record.Clean)
	lasting.Lasting = true
	known := scenario("f/known", "", record.Clean)
	known.Known = &record.Known{Verdict: record.Stalled, Holder: "qdisc * on v0", Kernels: []record.Series{"6.1"}}
	list := []scenarios.Scenario{
		scenario("f/pass", "", record.Clean), scenario("f/fail", "", record.Clean), known, lasting,
		scenario("f/skip", "", record.Clean), scenario("f/trouble", "", record.Clean),
	}
	r := &fake{rounds: []map[string]record.Event{sound(map[string]record.Event{
		"f/pass": cleanEvent(), "f/fail": stalledEvent(), "f/known": stalledEvent(),
		"f/skip":    {Kind: record.EventSkip, Text: "no such kind", Hint: "CONFIG_X"},
		"f/trouble": {Kind: record.EventTrouble, Text: "pipe burst"},
	})}}
	run, err := Run(t.Context(), r, list, controls(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]record.Status{
		"f/pass": record.Pass, "f/fail": record.Fail, "f/known": record.XFail, "f/lasting": record.Skip,
		"f/skip": record.Skip, "f/trouble": record.Error,
	}
	got := statuses(run.Results)
	for name, status := range want {
		if got[name] != status {
			t.Errorf("%s: %s, want %s", name, got[name], status)
		}
	}
	if run.Kernel.Release != "6.1" {
		t.Errorf("kernel %q, want what the stream said", run.Kernel.Release)
	}
	for i, sc := range list {
		if run.Results[i].Scenario != sc.Name {
			t.Errorf("result %d is %s, want the order asked for: %s", i, run.Results[i].Scenario, sc.Name)
		}
	}
	if len(r.calls) != 2 || len(r.calls[1]) != 1 || r.calls[1][0] != "f/fail" {
		t.Errorf("second round ran %v, want the one fail", r.calls[1:])
	}
}

func TestFailTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		second record.Event
		flaky  bool
	}{
		{"same again", stalledEvent(), false},
		{"clean the second time", cleanEvent(), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &fake{rounds: []map[string]record.Event{sound(map[string]record.Event{"f/x": stalledEvent()}), {"f/x": c.second}}}
			run, err := Run(t.Context(), r, []scenarios.Scenario{scenario("f/x", "", record.Clean)}, controls(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			res := run.Results[0]
			if res.Status != record.Fail || res.Flaky != c.flaky || len(res.Attempts) != 2 {
				t.Errorf("status %s, flaky %v, %d attempts; want fail, %v, 2", res.Status, res.Flaky, len(res.Attempts), c.flaky)
			}
		})
	}
}

func TestInterruptedKeepsWhatIsDone(t *testing.T) {
	stop := errors.New("stopped")
	r := &fake{rounds: []map[string]record.Event{{"f/a": cleanEvent()}}, err: stop}
	run, err := Run(t.Context(), r, []scenarios.Scenario{scenario("f/a", "", record.Clean), scenario("f/b", "", record.Clean)},
		[]scenarios.Scenario{scenario("control/veth", scenarios.ControlMustNot, record.Clean)}, Options{})
	if !errors.Is(err, stop) || !run.Interrupted {
		t.Fatalf("error %v, interrupted %v; want the runner's error and true", err, run.Interrupted)
	}
	if got := statuses(run.Results); len(got) != 0 && got["f/a"] == record.Broken {
		t.Errorf("results %v: an interrupted run is not broken", got)
	}
}

// A trace that cannot be saved ends the run; what was done before it stands.
func TestSaveFails(t *testing.T) {
	list := []scenarios.Scenario{{Name: "f/a"}, {Name: "f/b"}, {Name: "f/c"}}
	r := &fake{rounds: []map[string]record.Event{{"f/a": cleanEvent(), "f/b": cleanEvent(), "f/c": cleanEvent()}}}
	saved := 0
	run, err := Run(t.Context(), r, list, nil, Options{Save: func(scenarios.Scenario, int, record.Trace) error {
		if saved++; saved == 2 {
			return unix.ENOSPC
		}
		return nil
	}})
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "trace of f/b") || !run.Interrupted || saved != 2 {
		t.Errorf("%v after %d traces; interrupted %v", err, saved, run.Interrupted)
	}
	if len(run.Results) != 1 || run.Results[0].Scenario != "f/a" {
		t.Errorf("results %+v", run.Results)
	}
}

func TestSoakCounts(t *testing.T) {
	list := []scenarios.Scenario{
		scenario("f/steady", "", record.Clean), scenario("f/wavers", "", record.Clean), scenario("f/skip", "", record.Clean),
	}
	r := &fake{rounds: []map[string]record.Event{
		{"f/steady": cleanEvent(), "f/wavers": cleanEvent(), "f/skip": {Kind: record.EventSkip, Text: "no"}},
		{"f/steady": cleanEvent(), "f/wavers": stalledEvent()},
	}}
	tallies, err := Soak(t.Context(), r, list, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !tallies[0].Steady() || tallies[0].Verdicts[record.Clean] != 3 {
		t.Errorf("steady: %+v", tallies[0])
	}
	if tallies[1].Steady() || tallies[1].Verdicts[record.Stalled] != 2 {
		t.Errorf("wavers: %+v", tallies[1])
	}
	if tallies[2].Skipped == "" || tallies[2].Runs != 0 {
		t.Errorf("skip: %+v", tallies[2])
	}
}
