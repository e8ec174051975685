// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"skleak/mutants"
	"skleak/record"
	"skleak/scenarios"
)

// Trials run the catalogue on the stock kernel and on each mutant's.
type Trials struct {
	// Stock is the kernel as it is, Mutants those with a bug put in.
	Stock   TrialKernel
	Mutants []MutantKernel
	All     []scenarios.Scenario
	// Controls run on each kernel too.
	Controls []scenarios.Scenario
	// Named says that the mutants were named, so they may be few: the stock kernel
	// runs what any of them runs.
	Named bool
	// Whole runs all scenarios on each mutant's kernel.
	Whole bool
	// Needs are the modules of each scenario, by its name.
	Needs map[string][]string
	// Parallel is how many guests may run at once.
	Parallel int
	// Options are those of a run on a kernel; suffix tells it from the other runs
	// on the same kernel.
	Options func(kernel record.Kernel, suffix string) Options
	// Done sees each run when it has ended.
	Done func(record.Kernel, record.Run)
}

// TrialKernel is a kernel to try.
type TrialKernel struct {
	Plain Machine
	// Ledger is the same with the ledger; nil where Plain has it or nobody wants it.
	Ledger Machine
}

// MutantKernel is a kernel with a bug put in.
type MutantKernel struct {
	TrialKernel
	Mutant mutants.Mutant
}

// Once runs everything once and judges it; n counts from 0.
func (r Trials) Once(ctx context.Context, n int) (record.TruthRun, error) {
	began := time.Now()
	runs, err := r.run(ctx, n)
	if err != nil {
		return record.TruthRun{}, err
	}
	one := record.TruthRun{Table: StockTruth(runs[0])}
	for i := range r.Mutants {
		one.Table = append(one.Table, r.trial(i, runs).Judge()...)
	}
	one.Score = record.ScoreOf(one.Table)
	one.Seconds = time.Since(began).Seconds()
	return one, nil
}

// trial is that of the i-th mutant.
func (r Trials) trial(i int, runs []record.Run) Trial {
	m := r.Mutants[i].Mutant
	return Trial{
		Mutant: m.Name, Expected: m.Found, Stock: runs[0], Run: runs[i+1],
		Uses: func(scenario string) bool { return r.uses(scenario, m) },
	}
}

// uses says whether a scenario uses the mutant's module.
func (r Trials) uses(scenario string, m mutants.Mutant) bool {
	return slices.Contains(r.Needs[scenario], strings.ReplaceAll(m.Module, "-", "_"))
}

// run gives a run for each kernel, the stock one first. Where a mutant shows
// nothing, what uses its module is run again with the ledger, and where a leak's
// holder is not named, that scenario.
func (r Trials) run(ctx context.Context, n int) ([]record.Run, error) {
	runs := make([]record.Run, len(r.Mutants)+1)
	err := r.each(ctx, r.todo, func(i int) Machine { return r.kernel(i).Plain }, nth(n), func(i int, run record.Run) { runs[i] = run })
	if err != nil {
		return runs, err
	}
	again := func(i int) []scenarios.Scenario { return r.closer(i, runs) }
	err = r.each(ctx, again, func(i int) Machine { return r.kernel(i).Ledger }, nth(n)+".ledger", func(i int, run record.Run) { replace(&runs[i], run) })
	return runs, err
}

// closer are the scenarios of the i-th kernel to look at again with the ledger.
func (r Trials) closer(i int, runs []record.Run) []scenarios.Scenario {
	if i == 0 {
		return nil
	}
	silent := r.trial(i-1, runs).Silent()
	return slices.DeleteFunc(r.scenarios(i-1), func(sc scenarios.Scenario) bool {
		return !unnamed(runs[i], sc.Name) && (!silent || !r.uses(sc.Name, r.Mutants[i-1].Mutant))
	})
}

// kernel is the i-th, of which the stock one is the first.
func (r Trials) kernel(i int) TrialKernel {
	if i == 0 {
		return r.Stock
	}
	return r.Mutants[i-1].TrialKernel
}

// unnamed reports that a scenario's packets were lost somewhere on a part of the
// way, or nobody knows where.
func unnamed(run record.Run, scenario string) bool {
	return slices.ContainsFunc(run.Results, func(res record.Result) bool {
		return res.Scenario == scenario && record.Vague(res.Holder)
	})
}

// each runs what todo says on each kernel that has a machine, and keeps the runs.
func (r Trials) each(
	ctx context.Context, todo func(i int) []scenarios.Scenario, on func(i int) Machine, suffix string, keep func(i int, run record.Run),
) error {
	var jobs []job
	for i := range len(r.Mutants) + 1 {
		list, machine := todo(i), on(i)
		if machine == nil || len(list) == 0 {
			continue
		}
		guests := 1
		if i == 0 {
			// The whole catalogue takes as long as many mutants together.
			guests = max(r.Parallel/2, 1)
		}
		jobs = append(jobs, job{guests, func(ctx context.Context) error {
			run, err := r.one(ctx, in{machine, guests}, suffix, list, i > 0)
			if err == nil {
				keep(i, run)
			}
			return err
		}})
	}
	return schedule(ctx, r.Parallel, jobs)
}

// replace puts the results of a later run in the place of the earlier ones.
func replace(run *record.Run, again record.Run) {
	for _, res := range again.Results {
		for i := range run.Results {
			if run.Results[i].Scenario == res.Scenario {
				run.Results[i] = res
			}
		}
	}
}

// nth is what a run's folder of traces has behind the kernel's name.
func nth(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(".%d", n+1)
}

// one runs the list on a kernel.
func (r Trials) one(ctx context.Context, m in, suffix string, list []scenarios.Scenario, once bool) (record.Run, error) {
	kernel := m.About()
	o := r.Options(kernel, suffix)
	o.Once = once
	run, err := Run(ctx, m, list, r.Controls, o)
	if err != nil {
		return run, fmt.Errorf("kernel %s: %w", kernel.Source, err)
	}
	r.Done(kernel, run)
	return run, nil
}

// todo are the scenarios of the i-th kernel. The stock kernel runs the whole
// catalogue, or where mutants were named, what any of them runs.
func (r Trials) todo(i int) []scenarios.Scenario {
	if i > 0 {
		return r.scenarios(i - 1)
	}
	if !r.Named {
		return r.All
	}
	var theirs [][]scenarios.Scenario
	for i := range r.Mutants {
		theirs = append(theirs, r.scenarios(i))
	}
	var list []scenarios.Scenario
	for _, sc := range r.All {
		if slices.ContainsFunc(theirs, func(one []scenarios.Scenario) bool {
			return slices.ContainsFunc(one, func(o scenarios.Scenario) bool { return o.Name == sc.Name })
		}) {
			list = append(list, sc)
		}
	}
	return list
}

// bystandersEach is how many scenarios each mutant runs at least that do not
// use its module.
const bystandersEach = 4

// bystander says whether a scenario may show that nothing else is accused: one
// that must come through clean, and soon.
func bystander(sc scenarios.Scenario) bool {
	return slices.Contains(sc.Expect, record.Clean) && !slices.Contains(sc.Expect, record.Stalled) &&
		sc.Traffic.Count <= scenarios.DefaultCount
}

// scenarios are those the i-th mutant's kernel runs.
func (r Trials) scenarios(i int) []scenarios.Scenario {
	m := r.Mutants[i].Mutant
	used := slices.ContainsFunc(r.All, func(sc scenarios.Scenario) bool { return r.uses(sc.Name, m) })
	if r.Whole || !used && len(m.Found) == 0 {
		return slices.Clone(r.All)
	}
	var list, rest []scenarios.Scenario
	for _, sc := range r.All {
		switch {
		case slices.ContainsFunc(m.Found, func(e record.Found) bool { return e.Scenario == sc.Name }):
			list = append(list, sc)
		case r.uses(sc.Name, m) && len(m.Found) == 0:
			list = append(list, sc)
		case !r.uses(sc.Name, m) && bystander(sc):
			rest = append(rest, sc)
		}
	}
	return append(list, evenShare(rest, i, len(r.Mutants))...)
}

// evenShare is the i-th of n even shares of rest, or longer.
func evenShare(rest []scenarios.Scenario, i, n int) []scenarios.Scenario {
	size := min(max(bystandersEach, (len(rest)+n-1)/n), len(rest), 2*bystandersEach)
	var list []scenarios.Scenario
	for k := range size {
		list = append(list, rest[(i*len(rest)/n+k)%len(rest)])
	}
	return list
}
