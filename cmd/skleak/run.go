// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/harness"
	"skleak/harness/experiment"
	"skleak/record"
	"skleak/reports"
	"skleak/scenarios"
)

// runFlags are the flags of `skleak run`.
type runFlags struct {
	traffic trafficFlags
	output  outputFlags

	jobs         int
	patience     time.Duration
	save         saveFlag
	strict       bool
	allowLasting bool
	verifyLaw    bool
	noModules    bool
	ledger       ledgerFlag
}

func runCommand(t terminal, status *statusCode) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [SCENARIO…|FILE…]",
		Short: "Run scenarios on this kernel",
		Long: `Build each scenario in a network namespace of its own, send through it, measure
the sender's sk_wmem_alloc, find what lets go, and report. With no argument the
whole catalogue runs. Nothing outside the namespaces is touched.

Exit status: 0 all as expected, 1 a scenario failed, 2 broken control, trouble
or wrong usage, 4 everything skipped, 130 interrupted.`,
		Example: `  skleak run
  skleak run tun/unread --count 10000 --json
  skleak run vxlan/unresolved --verify-law
  skleak run mine.yaml --rate 43 --duration 10s
  skleak run --save traces && skleak judge traces`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, t, args, status)
		},
	}
	fs := cmd.Flags()
	f.traffic.register(fs)
	f.output.register(fs)
	fs.IntVar(&f.jobs, "jobs", 0, "sandboxes that may send at once (default two a processor)")
	fs.DurationVar(&f.patience, "patience", experiment.DefaultPatience, "how long to wait for a held charge to go by itself")
	f.save.register(fs)
	registerStrict(fs, &f.strict)
	fs.BoolVar(&f.allowLasting, "allow-lasting", false, "run scenarios that may leave kernel memory lost until the next boot")
	fs.BoolVar(&f.verifyLaw, "verify-law", false, "try a predicted stall rate out: a paced run just under and just over it")
	fs.BoolVar(&f.noModules, "no-modules", false, "skip what would load a kernel module")
	f.ledger.register(fs)
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	list, controls, err := f.prepare(cmd, args)
	if err != nil {
		return err
	}
	out, err := f.output.open(t)
	if err != nil {
		return err
	}
	defer out.discard()
	save, err := out.keepFor(f.save)
	if err != nil {
		return err
	}
	if err := save.check(); err != nil {
		return err
	}
	local := harness.NewLocal()
	if f.jobs > 0 {
		local.Jobs = f.jobs
	}
	local.Options.Patience = f.patience
	local.Options.VerifyLaw = f.verifyLaw
	local.Options.RefuseModules = f.noModules
	local.Options.Ledger = f.ledger.mode

	live := newLive(t, f.output, len(list)+len(controls))
	o := out.watch(save.options(campaign.Options{AllowLasting: f.allowLasting, Observe: live.Observe, Finished: live.Finished}), list, len(args) > 0)
	run, runErr := campaign.Run(cmd.Context(), local, list, controls, o)
	live.Close()
	rep := record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
	var denied *harness.PrivilegeError
	if errors.As(runErr, &denied) {
		return runErr
	}
	if err := out.write(rep); err != nil {
		return err
	}
	*status = statusCode(rep.ExitCode(f.strict))
	return runErr
}

// prepare chooses the scenarios and lets the flags change them.
func (f *runFlags) prepare(cmd *cobra.Command, args []string) (list, controls []scenarios.Scenario, err error) {
	if cmd.Flags().Changed("jobs") && f.jobs < 1 {
		return nil, nil, fmt.Errorf("--jobs %d: want 1 or more", f.jobs)
	}
	if f.patience < 0 || f.patience > time.Hour {
		return nil, nil, fmt.Errorf("--patience %s: want 0s to 1h", f.patience)
	}
	if list, controls, err = choose(cmd.Context(), args); err != nil {
		return nil, nil, err
	}
	list, err = f.traffic.apply(cmd.Flags(), list)
	return list, controls, err
}

// completeScenarios offers the catalogue's names, and files.
func completeScenarios(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, sc := range all {
		names = append(names, sc.Name+"\t"+sc.About)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// liveView is progress on a terminal, or nothing.
type liveView interface {
	Observe(record.Event)
	Finished(record.Result)
	Close()
}

type noLive struct{}

func (noLive) Observe(record.Event)   {}
func (noLive) Finished(record.Result) {}
func (noLive) Close()                 {}

func newLive(t terminal, _ outputFlags, total int) liveView {
	if !t.live {
		return noLive{}
	}
	return reports.NewLive(t.screen, reports.LiveOptions{Width: t.liveWidth, Total: total, ASCII: t.ascii, Colour: t.colour})
}
