// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/harness/experiment"
	"skleak/kernels"
	"skleak/mutants"
	"skleak/record"
	"skleak/vm"
)

// mutantsRunFlags are the flags of `skleak mutants run`.
type mutantsRunFlags struct {
	kernel   string
	whole    bool
	runs     int
	parallel int
	save     saveFlag
	truth    truthFlags
	vm       vmFlags
}

func mutantsRunCommand(t terminal, status *statusCode) *cobra.Command {
	var f mutantsRunFlags
	cmd := &cobra.Command{
		Use:   "run [NAME…|DIR] --kernel KERNEL",
		Short: "Run the catalogue on each mutant and print the truth table",
		Long: `Run the catalogue on the stock kernel and on each mutant's, a VM each, and
compare. Where mutants are named the stock kernel runs what they run. Every
scenario that mutant.yaml says must find the bug has to, with the verdict and the
holder it says; a scenario that does not use the module must show what it shows
on the stock kernel. Where a mutant says nothing, whatever deviates from the
stock kernel is shown, of all that uses its module.

On a mutant's kernel run the scenarios that mutant.yaml names, the controls, and
a few that must come through clean without using its module: each mutant has its
share of those. --whole runs the whole catalogue on each. Where all
is as on the stock kernel, what uses the module runs once more with the ledger,
which misses no skb; so does a leak whose place is not named.

The exit status is 1 on any miss, any wrong or false finding, 2 on trouble.`,
		Example: `  skleak mutants run --kernel debian:6.1
  skleak mutants run tun-no-orphan veth-one-in-100 --kernel debian:6.12 --json
  skleak mutants run ./my-mutants --kernel debian:6.1 --whole
  skleak mutants run --kernel debian:6.1 --runs 3 --format markdown -o truth.md`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, t, args, status) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kernel, "kernel", "", "the kernel, like debian:6.1")
	fs.BoolVar(&f.whole, "whole", false, "run the whole catalogue on every mutant")
	fs.IntVar(&f.runs, "runs", 1, "do it all so many times")
	fs.IntVar(&f.parallel, "parallel", 0, "VMs at once (default by processors and memory)")
	f.save.registerMany(fs)
	f.truth.register(fs)
	f.vm.register(fs)
	return cmd
}

func (f *mutantsRunFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	ctx := cmd.Context()
	if err := f.vm.check(); err != nil {
		return err
	}
	if err := f.save.check(); err != nil {
		return err
	}
	if f.runs < 1 || f.runs > 1000 {
		return fmt.Errorf("--runs %d: want 1 to 1000", f.runs)
	}
	out, err := f.truth.open(t)
	if err != nil {
		return err
	}
	defer out.discard()
	list, err := chooseMutants(ctx, args)
	if err != nil {
		return err
	}
	stock, err := fetchKernel(ctx, t, f.kernel)
	if err != nil {
		return err
	}
	mutated, err := mutantKernels(ctx, t, stock, list)
	if err != nil {
		return err
	}
	r, err := f.trials(cmd, t, args, append([]*kernels.Kernel{stock}, mutated...), list)
	if err != nil {
		return err
	}
	rep := record.TruthReport{Kernel: string(stock.Name)}
	for n := range f.runs {
		one, err := r.Once(ctx, n)
		if err != nil {
			return err
		}
		rep.Runs = append(rep.Runs, one)
		*status = max(*status, statusCode(one.ExitCode()))
	}
	return out.put(f.truth.printer(rep))
}

// trials are those of list; on is the stock kernel, then that of each mutant.
func (f *mutantsRunFlags) trials(
	cmd *cobra.Command, t terminal, args []string, on []*kernels.Kernel, list []mutants.Mutant,
) (r campaign.Trials, err error) {
	ctx := cmd.Context()
	r = campaign.Trials{
		Named: len(args) > 0, Whole: f.whole, Needs: map[string][]string{},
		Options: func(k record.Kernel, suffix string) campaign.Options {
			return f.save.below(kernels.Name(k.Source), suffix).options(campaign.Options{AllowLasting: true})
		},
		Done: func(k record.Kernel, run record.Run) {
			fmt.Fprintf(t.err, "%s: %d scenarios in %.0f s\n", k.Source, len(run.Results), run.Seconds)
		},
	}
	if r.All, r.Controls, err = choose(ctx, nil); err != nil {
		return r, err
	}
	for _, sc := range slices.Concat(r.Controls, r.All) {
		if r.Needs[sc.Name], err = vm.ModulesOf(on[0], sc); err != nil {
			return r, err
		}
	}
	if r.Parallel, err = guestsAtOnce(f.parallel, f.vm.memory); err != nil {
		return r, err
	}
	again := replay([]string{"mutants", "run", "--kernel", f.kernel}, cmd.Flags(), args)
	tried, err := f.machines(ctx, on, again)
	if err != nil {
		return r, err
	}
	r.Stock = tried[0]
	for i, m := range list {
		r.Mutants = append(r.Mutants, campaign.MutantKernel{TrialKernel: tried[i+1], Mutant: m})
	}
	return r, nil
}

// machines makes the machines of each kernel. Without --ledger there is one with
// the ledger too, for what must be looked at again.
func (f *mutantsRunFlags) machines(ctx context.Context, on []*kernels.Kernel, again string) ([]campaign.TrialKernel, error) {
	plain, err := f.vm.machine(on[0])
	if err != nil {
		return nil, err
	}
	ledger := f.withLedger()
	closer, err := ledger.machine(on[0])
	if err != nil {
		return nil, err
	}
	if err := accelerate(ctx, &plain); err != nil {
		return nil, err
	}
	plain.Replay, closer.Replay, closer.Accel = again, again, plain.Accel
	var out []campaign.TrialKernel
	for _, k := range on {
		plain.Kernel, closer.Kernel = k, k
		one := campaign.TrialKernel{Plain: plain}
		if f.vm.ledger.mode == experiment.LedgerOff {
			one.Ledger = closer
		}
		out = append(out, one)
	}
	return out, nil
}

// withLedger are the same flags with the ledger on.
func (f mutantsRunFlags) withLedger() vmFlags {
	f.vm.ledger.mode = experiment.LedgerOn
	return f.vm
}
