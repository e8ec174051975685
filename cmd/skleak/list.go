// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"skleak/record"
	"skleak/reports"
	"skleak/scenarios"
)

// listing is what `skleak list` shows.
type listing struct {
	Scenarios []listedScenario `json:"scenarios"`
	Links     []listedKind     `json:"links"`
	Qdiscs    []listedKind     `json:"qdiscs"`
	Packets   []string         `json:"packets"`
	Sockets   []string         `json:"sockets"`
	Formats   []listedKind     `json:"formats"`
}

type listedScenario struct {
	Name    string           `json:"name"`
	About   string           `json:"about"`
	Expect  []record.Verdict `json:"expect"`
	Lasting bool             `json:"lasting"`
	Control string           `json:"control,omitempty"`
}

type listedKind struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Config string `json:"config,omitempty"`
	Module string `json:"module,omitempty"`
}

func listCommand(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List scenarios, link kinds, packets, sockets and formats",
		Example: `  skleak list
  skleak list --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := newListing()
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(t.out)
				enc.SetIndent("", "  ")
				return enc.Encode(l)
			}
			return l.print(t.out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newListing() (listing, error) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return listing{}, err
	}
	l := listing{Packets: scenarios.Packets(), Sockets: scenarios.Sockets()}
	for _, sc := range all {
		l.Scenarios = append(l.Scenarios, listedScenario{sc.Name, sc.About, sc.Expect, sc.Lasting, string(sc.Control)})
	}
	for _, k := range scenarios.Kinds() {
		l.Links = append(l.Links, listed(k))
	}
	for _, k := range scenarios.QdiscKinds() {
		l.Qdiscs = append(l.Qdiscs, listed(k))
	}
	for _, f := range reports.Formats() {
		l.Formats = append(l.Formats, listedKind{Name: f.Name, About: f.About})
	}
	return l, nil
}

func listed(k scenarios.Kind) listedKind {
	return listedKind{k.Name, k.About, strings.Join(k.Config, ", "), strings.Join(k.Modules, ", ")}
}

func (l listing) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIOS")
	for _, sc := range l.Scenarios {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", sc.Name, record.JoinVerdicts(sc.Expect), sc.About)
	}
	printKinds(w, "LINKS", l.Links)
	printKinds(w, "QDISCS", l.Qdiscs)
	fmt.Fprintf(w, "\nPACKETS\n  %s\n", strings.Join(l.Packets, ", "))
	fmt.Fprintf(w, "\nSOCKETS\n  %s\n", strings.Join(l.Sockets, ", "))
	printKinds(w, "FORMATS", l.Formats)
	return w.Flush()
}

func printKinds(w io.Writer, title string, kinds []listedKind) {
	fmt.Fprintf(w, "\n%s\n", title)
	for _, k := range kinds {
		fmt.Fprintf(w, "  %s\t%s\n", k.Name, k.About)
	}
}
