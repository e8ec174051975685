// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/mutants"
	"skleak/record"
	"skleak/scenarios"
)

// fakeMachine is a kernel on which nothing can be run, or that does not boot.
type fakeMachine struct {
	name string
	err  error
	room *room
}

// room counts the guests that run at once.
type room struct {
	mu        sync.Mutex
	now, most int
	// ran is what each run was given, as kernel: scenarios.
	ran []string
}

func (r *room) enter(guests int, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now += guests
	r.most = max(r.most, r.now)
	r.ran = append(r.ran, what)
}

func (r *room) leave(guests int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now -= guests
}

func (m fakeMachine) About() record.Kernel { return record.Kernel{Source: m.name} }

func (m fakeMachine) Explain(err error) string { return "explained: " + err.Error() }

func (m fakeMachine) RunIn(_ context.Context, guests int, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		var named []string
		for _, sc := range list {
			named = append(named, sc.Name)
		}
		m.room.enter(guests, m.name+": "+strings.Join(named, " "))
		defer m.room.leave(guests)
		if m.err != nil {
			yield(record.Event{}, m.err)
			return
		}
		if !yield(record.Event{Kind: record.EventHello, Kernel: &record.Kernel{Source: m.name}}, nil) {
			return
		}
		for _, sc := range list {
			if !yield(record.Event{Kind: record.EventTrouble, Scenario: sc.Name, Text: "no trace in a fake"}, nil) {
				return
			}
		}
	}
}

func some(n int) (list []scenarios.Scenario) {
	for i := range n {
		list = append(list, scenarios.Scenario{Name: fmt.Sprintf("a/%d", i)})
	}
	return list
}

func TestMatrixKeepsItsOrderAndItsRoom(t *testing.T) {
	r := &room{}
	m := Matrix{Parallel: 3}
	for i := range 7 {
		m.Parts = append(m.Parts, Part{
			Machine: fakeMachine{name: fmt.Sprint(i), room: r}, List: some(i + 1), Options: Options{Once: true},
		})
	}
	m.Parts[2].Missing = errors.New("not in the store")
	m.Parts[4].Machine = fakeMachine{name: "4", room: r, err: errors.New("no boot")}
	var mu sync.Mutex
	done := 0
	for i := range m.Parts {
		m.Parts[i].Done = func(record.Run) { mu.Lock(); done++; mu.Unlock() }
	}
	runs := m.Run(t.Context())
	for i, run := range runs {
		want := i + 1
		if i == 2 {
			want = 0
		}
		if run.Kernel.Source != fmt.Sprint(i) || i != 4 && len(run.Results) != want {
			t.Errorf("run %d is of kernel %s with %d results", i, run.Kernel.Source, len(run.Results))
		}
	}
	if runs[2].Trouble != "not in the store" || runs[4].Trouble != "explained: no boot" {
		t.Errorf("troubles %q and %q", runs[2].Trouble, runs[4].Trouble)
	}
	if done != 7 {
		t.Errorf("%d of 7 told that they are done", done)
	}
	if r.most > 3 || len(r.ran) != 6 {
		t.Errorf("%d guests at once, want 3 at most; ran %q", r.most, r.ran)
	}
}

func TestMatrixCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	runs := Matrix{Parallel: 1, Parts: []Part{{Machine: fakeMachine{name: "x", room: &room{}}, List: some(1)}}}.Run(ctx)
	if !runs[0].Interrupted || runs[0].Trouble != "" {
		t.Errorf("%+v", runs[0])
	}
}

func trialsOf(r *room, ledger bool) Trials {
	kernel := func(name string) TrialKernel {
		k := TrialKernel{Plain: fakeMachine{name: name, room: r}}
		if ledger {
			k.Ledger = fakeMachine{name: name + " with ledger", room: r}
		}
		return k
	}
	m := mutants.Mutant{Name: "m", Module: "mod", Found: []record.Found{{Scenario: "a/1", Verdict: record.Stalled}}}
	return Trials{
		Stock: kernel("stock"), Mutants: []MutantKernel{{kernel("mutant"), m}}, All: some(3), Named: true,
		Needs: map[string][]string{"a/1": {"mod"}, "a/2": {"mod"}}, Parallel: 2,
		Options: func(record.Kernel, string) Options { return Options{Once: true} }, Done: func(record.Kernel, record.Run) {},
	}
}

func TestTrialsLookCloserWhereAllIsSilent(t *testing.T) {
	for _, test := range []struct {
		ledger bool
		want   []string
	}{
		{true, []string{"mutant with ledger: a/1", "mutant: a/1", "stock: a/1"}},
		{false, []string{"mutant: a/1", "stock: a/1"}},
	} {
		r := &room{}
		one, err := trialsOf(r, test.ledger).Once(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(r.ran)
		if d := cmp.Diff(test.want, r.ran); d != "" || r.most > 2 {
			t.Errorf("ledger %t: %d guests at once; %s", test.ledger, r.most, d)
		}
		if one.Score.Outcomes[record.OutcomeTrouble] == 0 || one.ExitCode() != 2 {
			t.Errorf("trouble gave %+v", one.Score)
		}
	}
}

func TestTrialsStopAtTheFirstError(t *testing.T) {
	r := trialsOf(&room{}, true)
	r.Mutants[0].Plain = fakeMachine{name: "mutant", room: &room{}, err: errors.New("no boot")}
	if _, err := r.Once(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "kernel mutant: no boot") {
		t.Errorf("error %v", err)
	}
}
