// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skleak/record"
	"skleak/record/foreign"
)

func reportCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "report DIR|BUNDLE|FILE [SCENARIO…]",
		Short: "Print a saved run in another format",
		Long: `Print a run again: the folder of its traces (skleak run --save DIR, skleak matrix
--save DIR), a bundle of them (--format bundle), or its report (--json -o FILE).
Traces say more: the mail, the HTML page, the charts and the packets are made of
them, and they are judged again. With scenarios named, or families, only these
are in it.

skleak list names the formats.`,
		Example: `  skleak run hold --save traces
  skleak report traces hold/tbf --format mail
  skleak report traces hold/tbf --format reproducer -o hold-tbf.sh
  skleak report traces --format bundle -o run.tar.zst
  skleak run veth --json -o run.json; skleak report run.json --format ktap`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rep, kept, done, err := savedRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer done()
			if rep, err = only(rep, args[1:]); err != nil {
				return err
			}
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			place.rest(kept, len(args) > 1)
			*status = statusCode(rep.ExitCode(false))
			tellGaps(t, args[0], rep, status)
			return place.write(rep)
		},
	}
	out.register(cmd.Flags())
	return cmd
}

// savedRun reads a report, or makes it of traces. done lets go of these when it is
// printed.
func savedRun(ctx context.Context, name string) (rep record.Report, kept *evidence, done func(), err error) {
	folder, err := isFolder(name)
	if err != nil {
		return rep, nil, nil, err
	}
	if folder || foreign.IsBundle(name) {
		return judged(ctx, name)
	}
	if rep, err = readReport(ctx, name); err != nil {
		return rep, nil, nil, err
	}
	kept, err = fromCatalogue()
	return rep, kept, func() {}, err
}

// only leaves the results that names name, cases or families; all without a name.
func only(rep record.Report, names []string) (record.Report, error) {
	if len(names) == 0 {
		return rep, nil
	}
	found := map[string]bool{}
	wanted := func(r record.Result) bool {
		family, _, _ := strings.Cut(r.Scenario, "/")
		for _, n := range names {
			if n == r.Scenario || n == family {
				found[n] = true
				return true
			}
		}
		return false
	}
	out := rep
	out.Runs = slices.Clone(rep.Runs)
	for i := range out.Runs {
		var kept []record.Result
		for _, r := range slices.Concat(out.Runs[i].Results, out.Runs[i].Controls) {
			if wanted(r) {
				kept = append(kept, r)
			}
		}
		out.Runs[i].Results = kept
	}
	for _, n := range names {
		if !found[n] {
			return rep, fmt.Errorf("the report has no scenario %s; without a name all are printed", n)
		}
	}
	return out, nil
}

// readReport reads a report that may come from elsewhere.
func readReport(ctx context.Context, name string) (record.Report, error) {
	data, err := foreign.Read(ctx, name, record.MaxBytes)
	if err != nil {
		return record.Report{}, fmt.Errorf("%w; want what `skleak run --json -o FILE` writes", err)
	}
	rep, err := record.ReadReport(bytes.NewReader(data))
	if err != nil {
		return record.Report{}, fmt.Errorf("%s: %w; want what `skleak run --json -o FILE` writes", name, err)
	}
	return rep, nil
}

// tellGaps says what a report lacks, and makes the status one of trouble.
func tellGaps(t terminal, name string, rep record.Report, status *statusCode) {
	for _, gap := range rep.Gaps() {
		fmt.Fprintf(t.err, "skleak: %s: %s\n", name, gap)
		*status = exitUsage
	}
}
