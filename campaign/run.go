// SPDX-License-Identifier: GPL-2.0-only

// Package campaign makes results of runs: it hands scenarios to a runner,
// judges the traces that come back, tries a fail once more, and sees to it that
// the controls behaved.
//
// It needs no privileges itself; the runner may (harness.Local, a guest):
//
//	skleak run --json
package campaign

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"skleak/harness/verdict"
	"skleak/record"
	"skleak/scenarios"
)

// Runner is something that runs scenarios and streams what happens: this
// kernel, a guest, a fake in a test. Its error ends the stream.
type Runner interface {
	Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error]
}

// Options are what a campaign may vary.
type Options struct {
	// AllowLasting runs scenarios that may leave kernel memory lost for good.
	AllowLasting bool
	// Once leaves out the second try of a fail, where fails are what is wanted.
	Once bool
	// Observe sees every event as it comes; nil for nobody.
	Observe func(record.Event)
	// Finished sees every result as it is made; nil for nobody.
	Finished func(record.Result)
	// Save keeps a trace; nil keeps none. Attempts count from 1. An error ends the
	// run: the rest would meet the same full disk.
	Save func(sc scenarios.Scenario, attempt int, t record.Trace) error
	// Begin is told the names of all that is to run, before anything does, and
	// End those and the ones that have no trace, when the run has come to its end.
	// Nil for nobody; an error of theirs is that of the run.
	Begin func(planned []string) error
	End   func(planned, without []string) error
}

// Run runs list and the controls through r. Results stand in the order of
// list. On an error the Run has what was done so far and is marked interrupted.
func Run(ctx context.Context, r Runner, list, controls []scenarios.Scenario, o Options) (record.Run, error) {
	began := time.Now()
	rest, err := withoutControls(list, controls)
	if err != nil {
		return record.Run{}, err
	}
	c := &collector{options: o, results: map[string]record.Result{}, saved: map[string]bool{}, asked: names(list)}
	todo := slices.Concat(controls, c.withoutLasting(rest))
	if err = c.begin(todo); err == nil {
		err = c.collect(ctx, r, todo, 1)
	}
	if err == nil && !o.Once {
		err = c.collect(ctx, r, c.failed(todo), 2)
	}
	if err == nil {
		err = c.end(todo)
	}
	shown := c.controls(controls)
	run := record.Run{
		Kernel:      c.kernel,
		Controls:    shown.results,
		Results:     c.inOrder(list),
		Crashes:     c.crashes,
		Notes:       c.notes.lines(),
		Interrupted: err != nil,
	}
	if err == nil {
		shown.apply(&run)
	} else {
		run.Missing = c.missing(list)
	}
	run.Seconds = time.Since(began).Seconds()
	return run, err
}

// collector gathers what comes back, by scenario.
type collector struct {
	options Options
	kernel  record.Kernel
	results map[string]record.Result
	crashes []record.Crash
	// saved names what has a trace kept, asked what is to be reported on.
	saved, asked map[string]bool
	notes        notes
}

// withoutLasting leaves out, as skips, what must not run on this machine.
func (c *collector) withoutLasting(list []scenarios.Scenario) []scenarios.Scenario {
	if c.options.AllowLasting {
		return list
	}
	var rest []scenarios.Scenario
	for _, sc := range list {
		if !sc.Lasting {
			rest = append(rest, sc)
			continue
		}
		c.keep(sc, withoutTrace(sc, record.Skip, "may leave kernel memory lost until the next boot",
			"run it in a VM, or here with --allow-lasting"), 1)
	}
	return rest
}

func (c *collector) collect(ctx context.Context, r Runner, list []scenarios.Scenario, attempt int) error {
	if len(list) == 0 {
		return nil
	}
	byName := map[string]scenarios.Scenario{}
	for _, sc := range list {
		byName[sc.Name] = sc
	}
	for e, err := range r.Run(ctx, list) {
		if err != nil {
			return err
		}
		if c.options.Observe != nil {
			c.options.Observe(e)
		}
		if e.Kind == record.EventHello && e.Kernel != nil {
			c.kernel = *e.Kernel
		}
		if e.Kind == record.EventCrash && e.Crash != nil {
			c.crashes = append(c.crashes, *e.Crash)
		}
		if e.Kind == record.EventNote {
			c.notes.add(e)
		}
		sc, known := byName[e.Scenario]
		if !known || !e.Ends() {
			continue
		}
		if err := c.save(sc, e, attempt); err != nil {
			return err
		}
		c.keep(sc, c.result(sc, e), attempt)
	}
	return nil
}

// save keeps the trace of a scenario that has one.
func (c *collector) save(sc scenarios.Scenario, e record.Event, attempt int) error {
	if c.options.Save == nil || e.Trace == nil {
		return nil
	}
	if err := c.options.Save(sc, attempt, *e.Trace); err != nil {
		return fmt.Errorf("save the trace of %s: %w; make room, or name another folder", sc.Name, err)
	}
	c.saved[sc.Name] = true
	return nil
}

// result judges the last event of a scenario.
func (c *collector) result(sc scenarios.Scenario, e record.Event) record.Result {
	switch e.Kind {
	case record.EventSkip:
		return withoutTrace(sc, record.Skip, e.Text, e.Hint)
	case record.EventTrouble:
		return withoutTrace(sc, record.Error, e.Text, e.Hint)
	}
	return verdict.Result(sc.Name, sc.Expect, sc.Known, *e.Trace)
}

// withoutTrace is the result of a scenario that was not judged.
func withoutTrace(sc scenarios.Scenario, s record.Status, reason, hint string) record.Result {
	return record.Result{
		Scenario: sc.Name, Status: s, Expected: record.JoinVerdicts(sc.Expect), Known: sc.Known,
		Refused: map[string]int{}, Ladder: []record.LadderStep{}, Witness: []record.Witness{},
		Sockets: []record.SocketResult{}, Orphans: "not checked", Reason: reason, Hint: hint,
		Attempts: []record.Attempt{{Status: s, Reason: reason}},
	}
}

// keep adds a result, or a second attempt to the first. A fail stays a fail
// whatever the second attempt shows; where they differ it is flaky.
func (c *collector) keep(sc scenarios.Scenario, res record.Result, attempt int) {
	if attempt > 1 {
		first := c.results[sc.Name]
		first.Attempts = append(first.Attempts, res.Attempts...)
		first.Flaky = first.Verdict != res.Verdict
		res = first
	}
	c.results[sc.Name] = res
	if c.options.Finished != nil && c.asked[sc.Name] {
		c.options.Finished(res)
	}
}

func (c *collector) failed(list []scenarios.Scenario) []scenarios.Scenario {
	var again []scenarios.Scenario
	for _, sc := range list {
		if c.results[sc.Name].Status == record.Fail {
			again = append(again, sc)
		}
	}
	return again
}

func (c *collector) inOrder(list []scenarios.Scenario) []record.Result {
	results := []record.Result{}
	for _, sc := range list {
		if res, ok := c.results[sc.Name]; ok {
			results = append(results, res)
		}
	}
	return results
}

func (c *collector) begin(todo []scenarios.Scenario) error {
	if c.options.Begin == nil {
		return nil
	}
	return c.options.Begin(namesOf(todo))
}

func (c *collector) end(todo []scenarios.Scenario) error {
	if c.options.End == nil {
		return nil
	}
	var without []string
	for _, sc := range todo {
		if !c.saved[sc.Name] {
			without = append(without, sc.Name)
		}
	}
	return c.options.End(namesOf(todo), without)
}

func namesOf(list []scenarios.Scenario) []string {
	names := make([]string, 0, len(list))
	for _, sc := range list {
		names = append(names, sc.Name)
	}
	return names
}

// missing names the scenarios without a result.
func (c *collector) missing(list []scenarios.Scenario) []string {
	var names []string
	for _, sc := range list {
		if _, ok := c.results[sc.Name]; !ok {
			names = append(names, sc.Name)
		}
	}
	return names
}
