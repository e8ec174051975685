// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skleak/internal/spelling"
	"skleak/scenarios"
	"skleak/story"
	"skleak/vm"
)

type storyFlags struct {
	vm     vmFlags
	kernel string
	save   string
	json   bool
}

func storyCommand(t terminal, status *statusCode) *cobra.Command {
	var f storyFlags
	cmd := &cobra.Command{
		Use:   "story [VARIANT…]",
		Short: "Replay the case of 2012 with the real daemons, in a VM",
		Long: "Boot a guest with Debian's ospfd and zebra, a real iodined whose TUN nobody reads,\n" +
			"an e100 card and a second router, and watch the silence come: the charge of\n" +
			"ospfd's one raw socket, the Hellos on each link, what `skleak watch` and `skleak\n" +
			"blame` say, the system calls, and the cure. Each of it must hold. Without a\n" +
			"variant, 2012; all of them: --all. Packages come from the machine's own mirror.\n\n" + variants() + `

Exit status: 0 all holds, 1 something does not, 2 trouble or wrong usage, 130
interrupted.`,
		Example: `  skleak story
  skleak story stock passive
  skleak story 2012 --save evidence     # captures, story.json, the text`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return variantNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	all := false
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case all && len(args) > 0:
			return errors.New("--all and variants: choose one")
		case all:
			args = variantNames()
		case len(args) == 0:
			args = variantNames()[:1]
		}
		return f.run(cmd.Context(), t, args, status)
	}
	fs := cmd.Flags()
	f.vm.registerMachine(fs)
	fs.BoolVar(&all, "all", false, "all variants")
	fs.StringVar(&f.kernel, "kernel", "", "another kernel than the variant's, like debian:6.12")
	fs.StringVar(&f.save, "save", "", "keep captures, story.json and the text in this folder, a folder for each variant in it")
	fs.BoolVar(&f.json, "json", false, "print JSON, a line for each variant (schema "+story.Schema+")")
	return cmd
}

func variantNames() (names []string) {
	for _, v := range story.Variants() {
		names = append(names, v.Name)
	}
	return names
}

func variants() string {
	var b strings.Builder
	for _, v := range story.Variants() {
		fmt.Fprintf(&b, "  %-11s %s\n", v.Name, v.About)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (f *storyFlags) run(ctx context.Context, t terminal, names []string, status *statusCode) error {
	if err := f.vm.check(); err != nil {
		return err
	}
	var chosen []story.Variant
	for _, name := range names {
		v, ok := story.Find(name)
		if !ok {
			near := spelling.Nearest(name, variantNames())
			if len(near) == 0 {
				near = variantNames()
			}
			return fmt.Errorf("no variant %q of the story: use %s", name, strings.Join(near, " or "))
		}
		if f.kernel != "" {
			v.Kernel = f.kernel
		}
		chosen = append(chosen, v)
	}
	for _, v := range chosen {
		s, err := f.tell(ctx, t, v)
		if err != nil {
			return fmt.Errorf("story %s: %w", v.Name, err)
		}
		if !s.Holds() {
			*status = 1
		}
		if err := f.print(t, s); err != nil {
			return err
		}
		if f.save != "" {
			if err := keepStory(filepath.Join(f.save, v.Name), s); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell runs one variant in a guest and judges it.
func (f *storyFlags) tell(ctx context.Context, t terminal, v story.Variant) (s *story.Story, err error) {
	run := vmRunFlags{kernel: v.Kernel, vm: f.vm, with: withFlags{packages: v.Packages(), suite: v.Suite}}
	m, err := run.guest(ctx, t)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "skleak-story-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	script := filepath.Join(dir, "story-guest")
	if err := os.WriteFile(script, []byte(story.Script()), 0o755); err != nil {
		return nil, err
	}
	list, err := withStoryCard()
	if err != nil {
		return nil, err
	}
	if t.live {
		fmt.Fprintf(t.err, "%s: %s, for %d s and its boot ...\n", v.Name, m.Kernel.Name, v.Seconds)
	}
	var out, errs bytes.Buffer
	exit, err := m.Command(ctx, list, vm.Command{Argv: append([]string{script}, v.Args()...), Stdout: &out, Stderr: &errs})
	if err != nil {
		if ctx.Err() == nil {
			fmt.Fprintln(t.err, vm.Explain(err))
		}
		return nil, err
	}
	if exit.Status != 0 {
		return nil, fmt.Errorf("the guest's script ended with exit status %d: %s", exit.Status, strings.TrimSpace(exit.Text+" "+errs.String()))
	}
	if s, err = story.Parse(v, &out); err != nil {
		return nil, err
	}
	s.Judge(v)
	return s, nil
}

// withStoryCard is withoutCards, and the card of the story.
func withStoryCard() ([]scenarios.Scenario, error) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return nil, err
	}
	list, err := withoutCards()
	i := slices.IndexFunc(all, func(sc scenarios.Scenario) bool {
		return slices.ContainsFunc(sc.Links, func(l scenarios.Link) bool {
			o, ok := l.Options.(*scenarios.NicOptions)
			return ok && o.Model == story.Card && o.Fault.What == scenarios.NoFault && o.Backend != scenarios.BackendNone
		})
	})
	if err != nil || i < 0 {
		return list, err
	}
	return append(list, all[i]), nil
}

func (f *storyFlags) print(t terminal, s *story.Story) error {
	if f.json {
		return json.NewEncoder(t.out).Encode(s)
	}
	return s.Write(t.out)
}

// keepStory writes the evidence.
func keepStory(dir string, s *story.Story) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep the story: %w", err)
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := s.Write(&text); err != nil {
		return err
	}
	files := map[string][]byte{"story.json": append(data, '\n'), "story.txt": text.Bytes()}
	for name, capture := range s.Files {
		files[filepath.Base(name)] = capture
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("keep the story: %w", err)
		}
	}
	return nil
}
