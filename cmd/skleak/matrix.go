// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"skleak/campaign"
	"skleak/kernels"
	"skleak/record"
	"skleak/reports"
	"skleak/scenarios"
	"skleak/vm"
)

// matrixFlags are the flags of `skleak matrix`.
type matrixFlags struct {
	kernels  string
	shard    string
	parallel int
	traffic  trafficFlags
	output   outputFlags
	vm       vmFlags
	save     saveFlag
	strict   bool
}

func matrixCommand(t terminal, status *statusCode) *cobra.Command {
	var f matrixFlags
	cmd := &cobra.Command{
		Use:   "matrix --kernels KERNEL,… [SCENARIO…|FILE…]",
		Short: "Run scenarios on many kernels, a VM each",
		Long: `Run the scenarios on every kernel named, as many VMs at once as this machine has
processors and memory for, and write one report with a run for each kernel. A
kernel that does not boot is trouble of its run; the others go on.

--shard I/N runs the I-th of N parts, counted from 1; where an engine counts
from 0, give it I+1 (GitLab's CI_NODE_INDEX counts from 1, GitHub's
strategy.job-index from 0). Write each with --json -o and join them with
skleak merge.`,
		Example: `  skleak matrix --kernels debian:5.10,debian:6.1,debian:7.3
  skleak matrix --kernels debian:5.10..7.3 tun team --json -o report.json
  skleak matrix --kernels debian:6.1,debian:6.12 --shard 1/2 --json -o shard-1.json`,
		ValidArgsFunction: completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, t, args, status) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kernels, "kernels", "", "the kernels, separated by commas, like debian:6.1,debian:6.12..7.3")
	fs.StringVar(&f.shard, "shard", "", "run part I of N, as I/N, I from 1")
	fs.IntVar(&f.parallel, "parallel", 0, "VMs at once (default by processors and memory)")
	f.traffic.register(fs)
	f.output.register(fs)
	f.vm.register(fs)
	f.save.registerMany(fs)
	registerStrict(fs, &f.strict)
	return cmd
}

func (f *matrixFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	list, controls, err := f.prepare(cmd, args)
	if err != nil {
		return err
	}
	out, err := f.output.open(t)
	if err != nil {
		return err
	}
	defer out.discard()
	if f.save, err = out.keepFor(f.save); err != nil {
		return err
	}
	parts, shard, err := f.parts(cmd.Context(), list)
	if err != nil {
		return err
	}
	m := &matrix{flags: f, terminal: t, given: cmd.Flags(), args: args, controls: controls, kept: out.evidence(list, len(args) > 0)}
	runs, runErr := m.run(cmd.Context(), parts)
	if runs == nil {
		return runErr
	}
	rep := record.Report{Schema: record.ReportSchema, Runs: runs, Shard: shard}
	if err := out.write(rep); err != nil {
		return err
	}
	*status = statusCode(rep.ExitCode(f.strict))
	return runErr
}

// prepare checks the flags and chooses the scenarios.
func (f *matrixFlags) prepare(cmd *cobra.Command, args []string) (list, controls []scenarios.Scenario, err error) {
	if f.kernels == "" {
		return nil, nil, errors.New("--kernels is missing: name some like debian:5.10,debian:6.1..7.3")
	}
	if err := f.vm.check(); err != nil {
		return nil, nil, err
	}
	if err := f.save.check(); err != nil {
		return nil, nil, err
	}
	if f.parallel < 0 || f.parallel > 1024 {
		return nil, nil, fmt.Errorf("--parallel %d: want 1 to 1024", f.parallel)
	}
	if list, controls, err = choose(cmd.Context(), args); err != nil {
		return nil, nil, err
	}
	list, err = f.traffic.apply(cmd.Flags(), list)
	return list, controls, err
}

// part is what one kernel has to run.
type part struct {
	resolved
	list []scenarios.Scenario
}

// parts resolves the kernels and leaves what this shard holds.
func (f *matrixFlags) parts(ctx context.Context, list []scenarios.Scenario) ([]part, *record.Shard, error) {
	store, err := openStore()
	if err != nil {
		return nil, nil, err
	}
	names, err := resolveEach(ctx, store, f.kernels)
	if err != nil {
		return nil, nil, err
	}
	shard, err := parseShard(f.shard)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range names {
		shard.Kernels = append(shard.Kernels, string(one.name))
	}
	for _, sc := range list {
		shard.Scenarios = append(shard.Scenarios, sc.Name)
	}
	var parts []part
	for k, one := range names {
		var mine []scenarios.Scenario
		for i, sc := range list {
			if shard.Owns(k, i) {
				mine = append(mine, sc)
			}
		}
		if len(mine) > 0 {
			parts = append(parts, part{one, mine})
		}
	}
	if f.shard == "" {
		return parts, nil, nil
	}
	return parts, &shard, nil
}

// parseShard reads I/N; "" is the whole.
func parseShard(s string) (record.Shard, error) {
	shard := record.Shard{Index: 1, Of: 1}
	if s == "" {
		return shard, nil
	}
	var rest string
	if n, _ := fmt.Sscanf(s+" ", "%d/%d%s", &shard.Index, &shard.Of, &rest); n != 2 || shard.Of < 1 || shard.Of > 10000 {
		return shard, fmt.Errorf("--shard %s: want I/N like 1/3", s)
	}
	if shard.Index < 1 || shard.Index > shard.Of {
		return shard, fmt.Errorf("--shard %s: want 1/%d to %d/%d; an engine that counts from 0 must add 1", s, shard.Of, shard.Of, shard.Of)
	}
	return shard, nil
}

// matrix runs parts on their kernels.
type matrix struct {
	flags    *matrixFlags
	terminal terminal
	// given and args are the command line.
	given    *pflag.FlagSet
	args     []string
	controls []scenarios.Scenario
	// kept are the traces, where the report wants them.
	kept *evidence
}

func (m *matrix) run(ctx context.Context, parts []part) ([]record.Run, error) {
	machines, err := m.machines(ctx, parts)
	if err != nil {
		return nil, err
	}
	parallel, err := guestsAtOnce(m.flags.parallel, m.flags.vm.memory)
	if err != nil {
		return nil, err
	}
	board := reports.NewBoard(m.terminal.screen, m.terminal.live, m.terminal.liveWidth)
	defer board.Close()
	whole := campaign.Matrix{Controls: m.controls, Parallel: parallel}
	for i, p := range parts {
		row := board.Row(string(p.name), len(p.list)+len(m.controls))
		o := campaign.Options{AllowLasting: true, Observe: row.Observe, Finished: row.Finished}
		whole.Parts = append(whole.Parts, campaign.Part{
			Machine: machines[i], Missing: p.err, List: p.list,
			Options: m.kept.keeping(m.flags.save.below(machines[i].Kernel.Name, "").options(o)), Done: row.Done,
		})
	}
	return whole.Run(ctx), ctx.Err()
}

// machines makes a VM for each part, fetching what the store lacks. A kernel
// that cannot be had is told in its part; if none can, that is the error.
func (m *matrix) machines(ctx context.Context, parts []part) ([]vm.VM, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	out := make([]vm.VM, len(parts))
	var first *vm.VM
	var missing []error
	for i := range parts {
		p := &parts[i]
		if p.err == nil {
			out[i], p.err = m.machine(ctx, store, p.name)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case p.err != nil:
			out[i].Kernel = &kernels.Kernel{Name: p.name}
			missing = append(missing, p.err)
		case first != nil:
			out[i].Accel = first.Accel
		default:
			if err := accelerate(ctx, &out[i]); err != nil {
				return nil, err
			}
			first = &out[i]
		}
	}
	if first == nil && len(missing) > 0 {
		return nil, missing[0]
	}
	for _, err := range missing {
		fmt.Fprintf(m.terminal.err, "skleak: %s\n", oneLine(err))
	}
	return out, nil
}

func (m *matrix) machine(ctx context.Context, store *kernels.Store, name kernels.Name) (vm.VM, error) {
	k, err := fetchOne(ctx, m.terminal, store, name)
	if err != nil {
		return vm.VM{}, err
	}
	v, err := m.flags.vm.machine(k)
	v.Replay = replay([]string{"vm", "run", "--kernel", string(k.Name), "--keep", "guest"}, m.given, m.args)
	return v, err
}

func fileName(kernel string) string {
	return strings.NewReplacer(":", "-", "/", "-", ",", "-").Replace(kernel)
}

// guestsAtOnce is how many guests may run at once: what was asked for, or 0 for
// what this machine has processors and memory for, of so many MB each.
func guestsAtOnce(asked, memory int) (int, error) {
	if asked > 0 {
		return asked, nil
	}
	n, err := vm.GuestsAtOnce(memory)
	if err != nil {
		return 0, fmt.Errorf("%w; say how many VMs with --parallel", err)
	}
	return n, nil
}
