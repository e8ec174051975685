package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"skleak/campaign"
	"skleak/harness/experiment"
	"skleak/kernels"
	"skleak/mutants"
	"skleak/record"
	"skleak/scenarios"
	"skleak/vm"
)

// trials runs the catalogue on the stock kernel and on each mutant's.
type trials struct {
	flags    *mutantsRunFlags
	terminal terminal
	controls []scenarios.Scenario
	all      []scenarios.Scenario
	list     []mutants.Mutant
	// named says that the mutants were named, so they may be few.
	named bool
	// replay is the command that does it all again.
	replay string
	// on is the stock kernel, then that of each mutant.
	on []*kernels.Kernel
	// needs are the modules of each scenario, by name.
	needs    map[string][]string
	parallel int
	plain    vm.VM
	// closer is plain with the ledger.
	closer vm.VM
}

// machines prepares the two machines.
func (r *trials) machines(ctx context.Context) (err error) {
	if r.plain, err = r.flags.vm.machine(r.on[0]); err != nil {
		return err
	}
	ledger := r.flags.withLedger()
	if r.closer, err = ledger.machine(r.on[0]); err != nil {
		return err
	}
	if err := accelerate(ctx, &r.plain); err != nil {
		return err
	}
	r.closer.Accel = r.plain.Accel
	r.parallel = r.flags.parallel
	if r.parallel == 0 {
		r.parallel, err = guestsAtOnce(r.flags.vm.memory)
	}
	return err
}

// modules finds out which modules each scenario uses.
func (r *trials) modules(k *kernels.Kernel) (err error) {
	r.needs = map[string][]string{}
	for _, sc := range slices.Concat(r.controls, r.all) {
		if r.needs[sc.Name], err = vm.ModulesOf(k, sc); err != nil {
			return err
		}
	}
	return nil
}

// uses says whether a scenario uses the mutant's module.
func (r *trials) uses(scenario string, m mutants.Mutant) bool {
	return slices.Contains(r.needs[scenario], strings.ReplaceAll(m.Module, "-", "_"))
}

// run gives a run for each kernel. Where a mutant shows nothing, what uses its
// module is run again with the ledger, and where a leak's holder is not named,
// that scenario.
func (r *trials) run(ctx context.Context, n int) ([]record.Run, error) {
	runs := make([]record.Run, len(r.on))
	err := r.each(ctx, func(ctx context.Context, i int) (err error) {
		runs[i], err = r.one(ctx, r.plain, i, nth(n), r.todo(i))
		return err
	})
	if err != nil || r.flags.vm.ledger.mode != experiment.LedgerOff {
		return runs, err
	}
	err = r.each(ctx, func(ctx context.Context, i int) error {
		if i == 0 {
			return nil
		}
		silent := r.trial(i-1, runs).Silent()
		scs := slices.DeleteFunc(r.scenarios(i-1), func(sc scenarios.Scenario) bool {
			return !unnamed(runs[i], sc.Name) && (!silent || !r.uses(sc.Name, r.list[i-1]))
		})
		if len(scs) == 0 {
			return nil
		}
		again, err := r.one(ctx, r.closer, i, nth(n)+".ledger", scs)
		replace(&runs[i], again)
		return err
	})
	return runs, err
}

// unnamed reports that a scenario's packets were lost somewhere on a part of the
// way, or nobody knows where.
func unnamed(run record.Run, scenario string) bool {
	return slices.ContainsFunc(run.Results, func(res record.Result) bool {
		return res.Scenario == scenario && record.Vague(res.Holder)
	})
}

// each calls do for each kernel's index, as many at once as there may be VMs.
func (r *trials) each(ctx context.Context, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(r.parallel, 1))
	for i := range r.on {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
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

// one runs the list on the i-th kernel; suffix tells its folder of traces from
// those of its other runs.
func (r *trials) one(ctx context.Context, v vm.VM, i int, suffix string, list []scenarios.Scenario) (record.Run, error) {
	v.Kernel = r.on[i]
	if i == 0 {
		// The whole catalogue takes as long as many mutants together.
		v.Guests = max(r.parallel/2, 1)
	}
	o := r.flags.save.below(v.Kernel.Name, suffix).options(campaign.Options{AllowLasting: true, Once: i > 0})
	v.Replay = r.replay
	run, err := campaign.Run(ctx, v, list, r.controls, o)
	if err != nil {
		return run, fmt.Errorf("kernel %s: %w", v.Kernel.Name, err)
	}
	fmt.Fprintf(r.terminal.err, "%s: %d scenarios in %.0f s\n", v.Kernel.Name, len(run.Results), run.Seconds)
	return run, nil
}

// todo are the scenarios of the i-th kernel. The stock kernel runs the whole
// catalogue, or where mutants were named, what any of them runs.
func (r *trials) todo(i int) []scenarios.Scenario {
	if i > 0 {
		return r.scenarios(i - 1)
	}
	if !r.named {
		return r.all
	}
	var theirs [][]scenarios.Scenario
	for i := range r.list {
		theirs = append(theirs, r.scenarios(i))
	}
	var list []scenarios.Scenario
	for _, sc := range r.all {
		if slices.ContainsFunc(theirs, func(one []scenarios.Scenario) bool { return has(one, sc.Name) }) {
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
func (r *trials) scenarios(i int) []scenarios.Scenario {
	m := r.list[i]
	used := slices.ContainsFunc(r.all, func(sc scenarios.Scenario) bool { return r.uses(sc.Name, m) })
	if r.flags.whole || !used && len(m.Found) == 0 {
		return slices.Clone(r.all)
	}
	var list, rest []scenarios.Scenario
	for _, sc := range r.all {
		switch {
		case slices.ContainsFunc(m.Found, func(e record.Found) bool { return e.Scenario == sc.Name }):
			list = append(list, sc)
		case r.uses(sc.Name, m) && len(m.Found) == 0:
			list = append(list, sc)
		case !r.uses(sc.Name, m) && bystander(sc):
			rest = append(rest, sc)
		}
	}
	return append(list, share(rest, i, len(r.list))...)
}

// share is the i-th of n even shares of rest, or longer.
func share(rest []scenarios.Scenario, i, n int) []scenarios.Scenario {
	size := min(max(bystandersEach, (len(rest)+n-1)/n), len(rest), 2*bystandersEach)
	var list []scenarios.Scenario
	for k := range size {
		list = append(list, rest[(i*len(rest)/n+k)%len(rest)])
	}
	return list
}
