package main

import (
	"slices"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/record"
	"skleak/scenarios"
)

func judgeCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	var strict bool
	cmd := &cobra.Command{
		Use:   "judge DIR",
		Short: "Judge saved traces again, without a kernel",
		Long: `Read the traces that skleak run --save kept and judge them again with this
skleak's rules. Nothing is run; scenarios that were skipped left no trace and
are not shown. If a trace is missing, or the run was interrupted, the report says
which and the exit status is 2.`,
		Example: `  skleak run hold --save traces
  skleak judge traces --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved := campaign.Saved{Dir: args[0]}
			all, err := saved.Scenarios(cmd.Context())
			if err != nil {
				return err
			}
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			list, controls := campaign.Split(all)
			if err := asInCatalogue(controls); err != nil {
				return err
			}
			run, err := campaign.Run(cmd.Context(), saved.Replay(), list, controls, campaign.Options{AllowLasting: true})
			if err != nil {
				return err
			}
			if run.Trouble, err = saved.Gap(cmd.Context(), scenarioNames(all)); err != nil {
				return err
			}
			rep := record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
			*status = statusCode(rep.ExitCode(strict))
			return place.write(rep)
		},
	}
	out.register(cmd.Flags())
	registerStrict(cmd.Flags(), &strict)
	return cmd
}

func scenarioNames(list []scenarios.Scenario) []string {
	var names []string
	for _, sc := range list {
		names = append(names, sc.Name)
	}
	return names
}

// asInCatalogue sorts controls the way a run does: of those that must hold the
// first one counts.
func asInCatalogue(controls []scenarios.Scenario) error {
	all, err := scenarios.Catalogue()
	if err != nil {
		return err
	}
	place := map[string]int{}
	for i, sc := range all {
		place[sc.Name] = i - len(all)
	}
	slices.SortStableFunc(controls, func(a, b scenarios.Scenario) int { return place[a.Name] - place[b.Name] })
	return nil
}
