// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"skleak/harness"
	"skleak/harness/experiment"
	"skleak/harness/verdict"
	"skleak/record"
	"skleak/scenarios"
)

// traceDefault is traced where nothing is named: it shows most.
const traceDefault = "vxlan/unresolved"

func traceCommand(t terminal, status *statusCode) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "trace [SCENARIO|FILE]",
		Short: "Follow one packet through the kernel",
		Long: `Run one scenario, follow every packet by the kernel's tracepoints and by BPF where
it can be had, and print the life of one: each place with its time, from the send
to its free, or the place it never left. It is one that was held, if any was.
Needs root.`,
		Example: `  skleak trace
  skleak trace hold/tbf
  skleak trace tun/unread --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			sc, err := oneScenario(cmd.Context(), args)
			if err != nil {
				return err
			}
			tr, err := traceOf(cmd, t, sc, status)
			if err != nil || tr == nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(t.out)
				enc.SetIndent("", "  ")
				return enc.Encode(tr.Ledger)
			}
			return printLife(t.out, *tr)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: the ledger as a report has it")
	return cmd
}

func oneScenario(ctx context.Context, args []string) (scenarios.Scenario, error) {
	if len(args) == 0 {
		args = []string{traceDefault}
	}
	list, _, err := choose(ctx, args)
	if err != nil {
		return scenarios.Scenario{}, err
	}
	if len(list) != 1 {
		return scenarios.Scenario{}, fmt.Errorf("%s is %d scenarios; name one, as `skleak list` shows them", args[0], len(list))
	}
	if list[0].Lasting {
		return scenarios.Scenario{}, fmt.Errorf("%s may leave kernel memory lost until the next boot; run it in a VM", list[0].Name)
	}
	return list[0], nil
}

// traceOf runs sc with a ledger. A skip or trouble is printed and gives nil.
func traceOf(cmd *cobra.Command, t terminal, sc scenarios.Scenario, status *statusCode) (*record.Trace, error) {
	local := harness.NewLocal()
	local.Options.Ledger = experiment.LedgerOn
	var notes []string
	for e, err := range local.Run(cmd.Context(), []scenarios.Scenario{sc}) {
		if err != nil {
			return nil, err
		}
		switch e.Kind {
		case record.EventNote:
			notes = append(notes, e.Text)
		case record.EventTrouble:
			return nil, fmt.Errorf("%s: %s", sc.Name, e.Text)
		case record.EventSkip:
			fmt.Fprintf(t.err, "%s cannot run here: %s; %s\n", sc.Name, e.Text, e.Hint)
			*status = 4
			return nil, nil //nolint:nilnil // said already
		case record.EventTrace:
			if e.Trace.Ledger == nil {
				return nil, errors.New(strings.Join(append(notes, "nothing could be followed"), "; "))
			}
			for _, note := range notes {
				fmt.Fprintln(t.err, "note:", note)
			}
			return e.Trace, nil
		}
	}
	return nil, fmt.Errorf("%s gave no trace", sc.Name)
}

// printLife prints one packet's life, and where all the others were.
func printLife(w io.Writer, tr record.Trace) error {
	l := tr.Ledger
	fmt.Fprintf(w, "%s on %s: %s\n\n", tr.Scenario, tr.Kernel.Release, verdict.Judge(tr).Reason)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range l.Life {
		cells(tab, since(l.Life[0], s), s.What, s.Place, remark(tr, s))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	switch n := len(l.Life); {
	case n == 0:
		fmt.Fprintln(w, "No packet could be followed by its address: none of those shown below had reached a device.")
	case l.Life[n-1].Location == "" && !ended(l.Life[n-1]):
		fmt.Fprintf(w, "It never left %s.\n", l.Life[n-1].Place)
	}
	fmt.Fprintln(w)
	return printPlaces(w, tr)
}

func since(first, s record.LedgerStep) string {
	d := time.Duration(s.AtNs - first.AtNs)
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
	}
	return d.Round(10 * time.Microsecond).String()
}

func ended(s record.LedgerStep) bool { return s.What == "freed" || s.What == "dropped" }

// remark says where in the kernel, why and during what a packet was freed, and
// how much its socket was charged with.
func remark(tr record.Trace, s record.LedgerStep) string {
	switch {
	case s.Truesize > 0 && strings.HasPrefix(s.What, "charge"):
		return fmt.Sprintf("%d bytes", s.Truesize)
	case !ended(s):
		return ""
	}
	parts := []string{}
	for _, p := range []string{s.Location, s.Reason} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	for _, w := range tr.Witness {
		if w.Location == s.Location && w.Reason == s.Reason && w.From == s.Place {
			parts = append(parts, strings.TrimSpace("during "+w.Rung+" "+w.On))
			break
		}
	}
	return strings.Join(parts, ", ")
}

func printPlaces(w io.Writer, tr record.Trace) error {
	l := tr.Ledger
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range l.Places {
		bytes := "not charged"
		if p.Charged {
			bytes = fmt.Sprintf("%d bytes", p.Bytes)
		}
		cells(tab, fmt.Sprintf("%d packets", p.Count), p.Place, bytes)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "charged %d bytes, found %d, gap %d; %d samples, %d lost; %s\n", l.Charge, l.Sum, l.Gap, l.Samples, l.Lost, l.By)
	if l.Incomplete != "" {
		fmt.Fprintf(w, "incomplete: %s\n", l.Incomplete)
	}
	return nil
}
