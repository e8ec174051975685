// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"skleak/campaign"
	"skleak/reports"
)

func printChanges(out io.Writer, changes []campaign.Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(out, "no difference")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KERNEL\tSCENARIO\tCHANGE\tBEFORE\tAFTER")
	for _, c := range changes {
		cells(w, c.Kernel, orNone(c.Scenario), string(c.Kind), orNone(c.Before), orNone(c.After))
	}
	return w.Flush()
}

// cells writes a row of a table.
func cells(w io.Writer, row ...string) { fmt.Fprintln(w, reports.TabRow(row...)) }

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
