package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"skleak/campaign"
)

func printChanges(out io.Writer, changes []campaign.Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(out, "no difference")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KERNEL\tSCENARIO\tCHANGE\tBEFORE\tAFTER")
	for _, c := range changes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Kernel, orNone(c.Scenario), c.Kind, orNone(c.Before), orNone(c.After))
	}
	return w.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
