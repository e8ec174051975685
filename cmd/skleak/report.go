package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"skleak/record"
	"skleak/record/foreign"
)

func reportCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Print a saved report in another format",
		Example: `  skleak run --json -o run.json
  skleak report run.json --format ktap`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rep, err := readReport(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			*status = statusCode(rep.ExitCode(false))
			tellGaps(t, args[0], rep, status)
			return place.write(rep)
		},
	}
	out.register(cmd.Flags())
	return cmd
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
