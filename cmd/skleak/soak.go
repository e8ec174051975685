// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/harness"
	"skleak/scenarios"
)

type soakFlags struct {
	runs, jobs, busy int
	patience         time.Duration
	json             bool
}

func soakCommand(t terminal, status *statusCode) *cobra.Command {
	var f soakFlags
	cmd := &cobra.Command{
		Use:   "soak [SCENARIO…|FILE…]",
		Short: "Run scenarios many times and count the verdicts",
		Long: `Run each scenario many times beside a busy processor and count what comes out.
Every run must give a verdict that the scenario expects, and always the same
holder; else the exit status is 1.`,
		Example: `  skleak soak --runs 20 tun veth
  skleak soak --runs 1000 --json > soak.json`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, t, args, status)
		},
	}
	fs := cmd.Flags()
	fs.IntVar(&f.runs, "runs", 1000, "runs of each scenario")
	fs.IntVar(&f.jobs, "jobs", 2, "sandboxes that may send at once")
	fs.IntVar(&f.busy, "busy", 1, "processors to keep busy meanwhile")
	fs.DurationVar(&f.patience, "patience", 0, "how long to wait for a held charge to go by itself")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f soakFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	if f.runs < 1 || f.jobs < 1 || f.busy < 0 || f.patience < 0 {
		return fmt.Errorf("--runs %d --jobs %d --busy %d --patience %s: want at least 1, 1, 0 and 0s", f.runs, f.jobs, f.busy, f.patience)
	}
	list, _, err := choose(cmd.Context(), args)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(sc scenarios.Scenario) bool { return sc.Lasting })
	local := harness.NewLocal()
	local.Jobs, local.Options.Patience = f.jobs, f.patience
	stop := keepBusy(f.busy)
	tallies, runErr := campaign.Soak(cmd.Context(), local, list, f.runs, func(done int) {
		if t.live {
			fmt.Fprintf(t.screen, "\rround %d of %d", done, f.runs)
		}
	})
	stop()
	if t.live {
		fmt.Fprintln(t.screen)
	}
	for _, tally := range tallies {
		if !tally.Steady() {
			*status = 1
		}
	}
	if f.json {
		enc := json.NewEncoder(t.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(tallies); err != nil {
			return fmt.Errorf("write the tallies: %w", err)
		}
		return runErr
	}
	if err := printTallies(t.out, tallies); err != nil {
		return fmt.Errorf("write the tallies: %w", err)
	}
	return runErr
}

// keepBusy keeps n threads spinning until stop is called.
func keepBusy(n int) (stop func()) {
	var over atomic.Bool
	for range n {
		go func() {
			for !over.Load() {
				continue
			}
		}()
	}
	return func() { over.Store(true) }
}

func printTallies(out io.Writer, tallies []campaign.Tally) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tRUNS\tEXPECTED\tVERDICTS\tHOLDERS\tTROUBLE")
	steady, skipped := 0, 0
	for _, t := range tallies {
		if t.Skipped != "" {
			skipped++
			continue
		}
		if t.Steady() {
			steady++
		}
		cells(w, t.Scenario, fmt.Sprint(t.Runs), t.Expected, counts(t.Verdicts), counts(t.Holders), counts(t.Trouble))
	}
	fmt.Fprintf(w, "\n%d steady, %d not, %d skipped\n", steady, len(tallies)-steady-skipped, skipped)
	return w.Flush()
}

// counts prints "stalled 998, held 2", most first.
func counts[K ~string](m map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(string(a), string(b))
	})
	var words []string
	for _, k := range keys {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(words, ", ")
}
