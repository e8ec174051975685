package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"skleak/record"
)

func reportCommand(t terminal, status *statusCode) *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Print a saved report in another format",
		Example: `  skleak run --json -o run.json
  skleak report run.json --format ktap`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rep, err := readReport(args[0])
			if err != nil {
				return err
			}
			place, err := out.open(t)
			if err != nil {
				return err
			}
			defer place.discard()
			*status = statusCode(rep.ExitCode(false))
			return place.write(rep)
		},
	}
	out.register(cmd.Flags())
	return cmd
}

func readReport(name string) (rep record.Report, err error) {
	f, err := os.Open(name)
	if err != nil {
		return record.Report{}, fmt.Errorf("open report: %w; `skleak run --json -o FILE` writes one", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if rep, err = record.ReadReport(f); err != nil {
		return record.Report{}, fmt.Errorf("%s: %w; want what `skleak run --json -o FILE` writes", name, err)
	}
	return rep, nil
}
