// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"
	"iter"
	"slices"

	"skleak/record"
	"skleak/scenarios"
)

// Machine is a kernel that can be booted in several guests at once.
type Machine interface {
	// About is what is known of the kernel before it has said anything.
	About() record.Kernel
	// RunIn runs list in up to so many guests. Its error ends the stream.
	RunIn(ctx context.Context, guests int, list []scenarios.Scenario) iter.Seq2[record.Event, error]
	// Explain is such an error with what is known of the guest's end.
	Explain(err error) string
}

// in is a Machine with a fixed number of guests: a Runner.
type in struct {
	Machine
	guests int
}

// Run implements Runner.
func (i in) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return i.RunIn(ctx, i.guests, list)
}

// Matrix is many kernels, each with its scenarios.
type Matrix struct {
	Parts    []Part
	Controls []scenarios.Scenario
	// Parallel is how many guests may run at once.
	Parallel int
}

// Part is what one kernel has to run.
type Part struct {
	Machine Machine
	// Missing says why the kernel is not there; nil where it is.
	Missing error
	List    []scenarios.Scenario
	Options Options
	// Done sees the part's run when it has ended; a part that never began is not
	// among them. Nil for nobody.
	Done func(record.Run)
}

// Run gives a run for each part, in their order. Trouble with a kernel is its
// run's, not the matrix's, and a run that ctx ended says so itself.
func (m Matrix) Run(ctx context.Context) []record.Run {
	runs := make([]record.Run, len(m.Parts))
	guests := shares(len(m.Parts), max(m.Parallel, 1))
	var jobs []job
	for at, i := range longestParts(m.Parts) {
		jobs = append(jobs, job{guests[at], func(ctx context.Context) error {
			runs[i] = m.Parts[i].run(ctx, guests[at], m.Controls)
			return nil
		}})
	}
	// No job has an error.
	_ = schedule(ctx, m.Parallel, jobs)
	return runs
}

func (p Part) run(ctx context.Context, guests int, controls []scenarios.Scenario) record.Run {
	none := record.Run{Kernel: p.Machine.About(), Controls: []record.Result{}, Results: []record.Result{}}
	if p.Missing != nil {
		none.Trouble = p.Missing.Error()
		p.done(none)
		return none
	}
	if ctx.Err() != nil {
		none.Interrupted = true
		return none
	}
	run, err := Run(ctx, in{p.Machine, guests}, p.List, controls, p.Options)
	if run.Kernel.Source == "" {
		run.Kernel = p.Machine.About()
	}
	if err != nil && ctx.Err() == nil {
		run.Trouble = p.Machine.Explain(err)
	}
	p.done(run)
	return run
}

func (p Part) done(run record.Run) {
	if p.Done != nil {
		p.Done(run)
	}
}

// longestParts are the numbers of the parts, those with most to do first.
func longestParts(parts []Part) []int {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	// Newer kernels boot and run slower; parts come oldest first as a rule.
	slices.SortStableFunc(order, func(a, b int) int {
		if d := len(parts[b].List) - len(parts[a].List); d != 0 {
			return d
		}
		return b - a
	})
	return order
}
