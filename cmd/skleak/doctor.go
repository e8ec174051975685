// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"skleak/harness"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// checkup is what `skleak doctor` finds.
type checkup struct {
	Kernel record.Kernel `json:"kernel"`
	// Sandbox is "" when sandboxes can be made, else what is in the way.
	Sandbox  string            `json:"sandbox"`
	User     string            `json:"user"`
	Sysctls  map[string]string `json:"sysctls"`
	Features []checkedFeature  `json:"features"`
	Kinds    []checkedKind     `json:"kinds"`
	// Leftovers are sandboxes that killed runs left pinned.
	Leftovers []harness.Leftover `json:"leftovers"`
	// Freed is how many leftovers --clean freed.
	Freed int `json:"freed"`
}

// checkedFeature is a netns.Feature as JSON has it.
type checkedFeature struct {
	Name   string             `json:"name"`
	State  netns.FeatureState `json:"state"`
	Detail string             `json:"detail,omitempty"`
	Hint   string             `json:"hint,omitempty"`
}

// checkedKind is a kind of link or qdisc that was tried.
type checkedKind struct {
	What   string `json:"what"`
	Name   string `json:"name"`
	There  bool   `json:"there"`
	Reason string `json:"reason,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

func doctorCommand(t terminal, status *statusCode) *cobra.Command {
	var clean, asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine and kernel can do",
		Long: `Try every kind of link and qdisc and whatever else scenarios need, say what is
missing and how to get it, and look for sandboxes that a killed run left
pinned. The exit status is 1 when no sandbox can be made here at all.`,
		Example: `  skleak doctor
  skleak doctor --clean    # free what a killed run left`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := examine(cmd.Context(), clean)
			if err != nil {
				return err
			}
			if c.Sandbox != "" {
				*status = 1
			}
			if asJSON {
				enc := json.NewEncoder(t.out)
				enc.SetIndent("", "  ")
				return enc.Encode(c)
			}
			return c.print(t.out)
		},
	}
	cmd.Flags().BoolVar(&clean, "clean", false, "free sandboxes that killed runs left pinned")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func examine(ctx context.Context, clean bool) (checkup, error) {
	c := checkup{Kernel: harness.Kernel(), User: "root", Sysctls: map[string]string{}, Kinds: []checkedKind{}}
	if os.Geteuid() != 0 {
		c.User = fmt.Sprintf("uid %d, in user namespaces", os.Geteuid())
	}
	for name, file := range map[string]string{
		"net.core.wmem_default":  "/proc/sys/net/core/wmem_default",
		"net.core.wmem_max":      "/proc/sys/net/core/wmem_max",
		"net.core.default_qdisc": "/proc/sys/net/core/default_qdisc",
	} {
		if b, err := os.ReadFile(file); err == nil {
			c.Sysctls[name] = strings.TrimSpace(string(b))
		}
	}
	reg := harness.NewRegistry(os.Geteuid())
	left, err := reg.Leftovers()
	if err != nil {
		return c, err
	}
	c.Leftovers = left
	if clean {
		if c.Freed, err = reg.Sweep(); err != nil {
			return c, err
		}
	}
	for _, f := range netns.Features() {
		c.Features = append(c.Features, checkedFeature(f))
	}
	return c, c.tryKinds(ctx)
}

// tryKinds builds, for each kind, the first scenario of the catalogue that has it.
func (c *checkup) tryKinds(ctx context.Context) error {
	all, err := scenarios.Catalogue()
	if err != nil {
		return err
	}
	kinds := kindsOf(all)
	var tries []scenarios.Scenario
	for _, k := range kinds {
		if !slices.ContainsFunc(tries, func(s scenarios.Scenario) bool { return s.Name == k.scenario.Name }) {
			tries = append(tries, k.scenario)
		}
	}
	local := harness.NewLocal()
	local.Options.BuildOnly, local.KeepLeftovers = true, true
	outcome := map[string]record.Event{}
	for e, err := range local.Run(ctx, tries) {
		var denied *harness.PrivilegeError
		if errors.As(err, &denied) {
			c.Sandbox = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
		if e.Ends() {
			outcome[e.Scenario] = e
		}
	}
	for _, k := range kinds {
		e := outcome[k.scenario.Name]
		c.Kinds = append(c.Kinds, checkedKind{
			What: k.what, Name: k.name, There: e.Kind == record.EventTrace, Reason: e.Text, Hint: e.Hint,
		})
	}
	return nil
}

// kindScenario is a kind and the scenario to try it with.
type kindScenario struct {
	what, name string
	scenario   scenarios.Scenario
}

// kindsOf finds a scenario with as few links as possible for each kind, so
// that a kind is not called missing for another's sake.
func kindsOf(all []scenarios.Scenario) []kindScenario {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b scenarios.Scenario) int { return weight(a) - weight(b) })
	find := func(what, name string, has func(scenarios.Link) bool) []kindScenario {
		for _, sc := range sorted {
			if slices.ContainsFunc(sc.Links, has) {
				return []kindScenario{{what, name, sc}}
			}
		}
		return nil
	}
	var kinds []kindScenario
	for _, k := range scenarios.Kinds() {
		kinds = append(kinds, find("link", k.Name, func(l scenarios.Link) bool { return l.Kind() == k.Name })...)
	}
	for _, k := range scenarios.QdiscKinds() {
		kinds = append(kinds, find("qdisc", k.Name, func(l scenarios.Link) bool {
			return l.Qdisc != nil && l.Qdisc.Kind() == k.Name
		})...)
	}
	return kinds
}

func weight(sc scenarios.Scenario) int {
	n := len(sc.Links) + len(sc.Filters)
	for _, l := range sc.Links {
		if l.Qdisc != nil {
			n++
		}
	}
	return n
}

func (c checkup) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "kernel\t%s %s\n", c.Kernel.Release, c.Kernel.Arch)
	fmt.Fprintf(w, "user\t%s\n", c.User)
	sandbox := "can be made"
	if c.Sandbox != "" {
		sandbox = "cannot be made: " + c.Sandbox
	}
	fmt.Fprintf(w, "sandboxes\t%s\n", sandbox)
	for _, name := range []string{"net.core.wmem_default", "net.core.wmem_max", "net.core.default_qdisc"} {
		fmt.Fprintf(w, "%s\t%s\n", name, c.Sysctls[name])
	}
	fmt.Fprintln(w, "\nFEATURES")
	for _, f := range c.Features {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, f.State, withHint(f.Detail, f.Hint))
	}
	fmt.Fprintln(w, "\nKINDS")
	for _, k := range c.Kinds {
		state := "there"
		if !k.There {
			state = "missing"
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%s\n", k.What, k.Name, state, withHint(k.Reason, k.Hint))
	}
	fmt.Fprintln(w)
	switch {
	case len(c.Leftovers) == 0:
		fmt.Fprintln(w, "no sandbox of a killed run is left")
	case c.Freed > 0:
		fmt.Fprintf(w, "freed %d sandboxes that killed runs had left\n", c.Freed)
	default:
		fmt.Fprintf(w, "%d sandboxes of killed runs are left; `skleak doctor --clean` frees them\n", len(c.Leftovers))
	}
	return w.Flush()
}

func withHint(text, hint string) string {
	if hint == "" {
		return text
	}
	return text + "; get it: " + hint
}
