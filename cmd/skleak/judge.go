// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"skleak/scenarios"
)

func judgeCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	var strict bool
	cmd := &cobra.Command{
		Use:   "judge DIR|BUNDLE",
		Short: "Judge saved traces again, without a kernel",
		Long: `Read the traces that skleak run --save kept, or those of a bundle (--format
bundle), whose checksums must be right, and judge them again with this skleak's
rules. Nothing is run; scenarios that were skipped left no trace and
are not shown. If a trace is missing, or the run was interrupted, the report says
which and the exit status is 2. Without the traces of its controls a folder
proves nothing, and every result is broken.`,
		Example: `  skleak run hold --save traces
  skleak judge traces --json
  skleak run hold --format bundle -o hold.tar.zst
  skleak judge hold.tar.zst`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rep, kept, done, err := judged(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer done()
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			place.rest(kept, false)
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
