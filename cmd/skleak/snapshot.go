// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"skleak/internal/spelling"
	"skleak/netns"
	"skleak/reports"
	"skleak/snapshot"
)

// netnsFlag is --netns: whose links are meant.
type netnsFlag struct{ name string }

func (f *netnsFlag) register(fs *pflag.FlagSet) {
	fs.Var(f, "netns", "network namespace: a name ip-netns(8) knows, a path, or a process in it (default this one)")
}

// String implements pflag.Value.
func (f *netnsFlag) String() string { return f.name }

// Type implements pflag.Value.
func (f *netnsFlag) Type() string { return "NAME|PATH|PID" }

// Set implements pflag.Value.
func (f *netnsFlag) Set(text string) error {
	f.name = text
	return nil
}

// path is "" for the namespace of this process.
func (f *netnsFlag) path(fs *pflag.FlagSet) (string, error) {
	if !fs.Changed("netns") {
		return "", nil
	}
	return netns.Find(f.name)
}

// readFacts looks at the links of a namespace.
func readFacts(path string) (f snapshot.Facts, err error) {
	err = netns.In(path, func() error {
		f, err = snapshot.Read()
		return err
	})
	return f, err
}

func snapshotCommand(t terminal) *cobra.Command {
	var where netnsFlag
	var anonymise, asJSON bool
	file := ""
	cmd := &cobra.Command{
		Use:   "snapshot [IFACE…]",
		Short: "Write this host's links as scenarios for any kernel",
		Long: `Look at the links this host really has, or another network namespace: their kinds
and stacking, queues and classes, addresses, neighbours, and the netfilter rules
that hold or drop. Write a scenario for each link that can send, which ` + "`skleak run`" + `,
` + "`vm run`" + ` and ` + "`matrix`" + ` take: a fault on a live router becomes a reproducer. What a
scenario cannot say is named in comments at the top. Nothing is sent or changed.

Exit status: 0, or 2 when nothing could be looked at or nothing can send.`,
		Example: `  skleak snapshot
  skleak snapshot --anonymise -o router.yaml    # to send to somebody
  skleak snapshot --netns $$ --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := where.path(cmd.Flags())
			if err != nil {
				return err
			}
			s, err := takeSnapshot(path, args, anonymise)
			if err != nil {
				return err
			}
			out := &output{out: t.plain, file: file, options: reports.Options{ASCII: t.ascii}}
			if file != "" {
				if err := out.tryFile(); err != nil {
					return err
				}
				defer out.discard()
			}
			if asJSON {
				return out.put(func(w io.Writer) error { return writeSnapshotJSON(w, s) })
			}
			return out.put(s.Write)
		},
	}
	fs := cmd.Flags()
	where.register(fs)
	fs.BoolVar(&anonymise, "anonymise", false, "change names, hardware and IP addresses, the same ones everywhere alike")
	fs.BoolVar(&asJSON, "json", false, "print JSON: the file and its remarks, each by itself")
	fs.StringVarP(&file, "output", "o", "", "write to this file")
	return cmd
}

func takeSnapshot(path string, only []string, anonymise bool) (snapshot.Snapshot, error) {
	f, err := readFacts(path)
	if err != nil {
		return snapshot.Snapshot{}, err
	}
	chosen, err := chooseLinks(f, only)
	if err != nil {
		return snapshot.Snapshot{}, err
	}
	if !anonymise {
		return snapshot.Make(f, only), nil
	}
	hidden, err := snapshot.Anonymise(f)
	if err != nil {
		return snapshot.Snapshot{}, err
	}
	only = nil
	for i, l := range hidden.Links {
		if chosen[f.Links[i].Name] {
			only = append(only, l.Name)
		}
	}
	return snapshot.Make(hidden, only), nil
}

// chooseLinks are the links that were named, or all.
func chooseLinks(f snapshot.Facts, only []string) (map[string]bool, error) {
	chosen := map[string]bool{}
	var names []string
	for _, l := range f.Links {
		names = append(names, l.Name)
		chosen[l.Name] = len(only) == 0 || slices.Contains(only, l.Name)
	}
	for _, name := range only {
		if slices.Contains(names, name) {
			continue
		}
		hint := "it has " + strings.Join(names, ", ")
		if near := spelling.Nearest(name, names); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, ", ") + "?"
		}
		return nil, fmt.Errorf("no link %q in this network namespace; %s", name, hint)
	}
	return chosen, nil
}

// snapshotJSON is what --json prints.
type snapshotJSON struct {
	Schema string `json:"schema"`
	Kernel string `json:"kernel"`
	// File is what would be printed without --json.
	File string `json:"file"`
	// Scenarios are the names of those in File.
	Scenarios []string `json:"scenarios"`
	Remarks   []string `json:"remarks"`
	Left      []string `json:"left"`
}

func writeSnapshotJSON(w io.Writer, s snapshot.Snapshot) error {
	var file strings.Builder
	if err := s.Write(&file); err != nil {
		return err
	}
	out := snapshotJSON{
		Schema: "skleak-snapshot/1", Kernel: s.Kernel, File: file.String(), Scenarios: []string{},
		Remarks: append([]string{}, s.Remarks...), Left: append([]string{}, s.Left...),
	}
	for _, sc := range s.Scenarios {
		out.Scenarios = append(out.Scenarios, sc.Name)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
