// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/record"
)

func planCommand(t terminal) *cobra.Command {
	var f matrixFlags
	var shards int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan --kernels KERNEL,… [SCENARIO…|FILE…]",
		Short: "Print the jobs of a matrix, for CI",
		Long: `Print the jobs that a matrix parts into: one for each kernel, or as many as
--shards says. With --json it is what GitHub's strategy.matrix takes; each job
runs skleak matrix --kernels MATRIX --shard SHARD.`,
		Example: `  skleak plan --kernels debian:5.10..7.3
  skleak plan --kernels debian:6.1,debian:7.3 --shards 4 --json`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			list, _, err := f.prepare(cmd, args)
			if err != nil {
				return err
			}
			f.shard = "1/1"
			_, whole, err := f.parts(cmd.Context(), list)
			if err != nil {
				return err
			}
			if shards < 0 || shards > 10000 {
				return fmt.Errorf("--shards %d: want 1 to 10000", shards)
			}
			if shards == 0 {
				shards = len(whole.Kernels)
			}
			p := campaign.PlanOf(*whole, shards)
			if asJSON {
				return printJSON(t.out, p)
			}
			return printPlan(t.out, p)
		},
	}
	cmd.Flags().StringVar(&f.kernels, "kernels", "", "the kernels, separated by commas, like debian:6.1,debian:6.12..7.3")
	cmd.Flags().IntVar(&shards, "shards", 0, "number of jobs (default one for each kernel)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	f.vm = defaultVMFlags()
	return cmd
}

func printPlan(out io.Writer, p campaign.Plan) error {
	for _, job := range p.Include {
		if _, err := fmt.Fprintf(out, "%s  %d scenarios  %v\n", job.Shard, job.Scenarios, job.Kernels); err != nil {
			return err
		}
	}
	return nil
}

func mergeCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	var strict bool
	cmd := &cobra.Command{
		Use:   "merge FILE…",
		Short: "Join the shards of a matrix into one report",
		Long: `Read the JSON reports that skleak matrix --shard wrote and print the report of
the whole. What a missing shard should hold stands there as an error, so that
the exit status is never 0 without it.`,
		Example: `  skleak merge shard-*.json
  skleak merge shard-1.json shard-2.json --json -o report.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var reports []record.Report
			for _, name := range args {
				rep, err := readReport(cmd.Context(), name)
				if err != nil {
					return err
				}
				reports = append(reports, rep)
			}
			whole, err := campaign.Merge(reports)
			if err != nil {
				return err
			}
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			*status = statusCode(whole.ExitCode(strict))
			return place.write(whole)
		},
	}
	out.register(cmd.Flags())
	registerStrict(cmd.Flags(), &strict)
	return cmd
}

func diffCommand(t terminal, status *statusCode) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff BASELINE REPORT",
		Short: "Compare two reports",
		Long: `Compare two JSON reports: what is new, what is gone, whose verdict or status
changed, whose holder, what releases it or whose law, and whose held bytes changed
by more than a packet and 5 %. The exit status is 1 if there is any difference,
and 2 if a report is of an interrupted run or has no results: what is missing is
said by name. Two reports of one kernel each are compared whatever their kernels
are.`,
		Example: `  skleak diff baseline.json report.json
  skleak diff --json baseline.json report.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readReport(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			b, err := readReport(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			changes := campaign.Diff(a, b)
			if len(changes) > 0 {
				*status = 1
			}
			tellGaps(t, args[0], a, status)
			tellGaps(t, args[1], b, status)
			if asJSON {
				return printJSON(t.out, changes)
			}
			return printChanges(t.out, changes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
