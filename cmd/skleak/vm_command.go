// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"skleak/kernels"
	"skleak/scenarios"
	"skleak/vm"
)

// withFlags say which Debian packages a guest has.
type withFlags struct {
	packages []string
	suite    string
}

func (f *withFlags) register(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.packages, "with", nil, "Debian packages for the guest, with what they depend on, like iproute2,frr; they are not installed, no script of theirs runs")
	fs.StringVar(&f.suite, "suite", "", "Debian's suite to take them from, like trixie (default this machine's own)")
}

// given says whether any was.
func (f *withFlags) given() bool { return len(f.packages) > 0 || f.suite != "" }

// userland gives the packages' archive; "" where none are asked for.
func (f *withFlags) userland(ctx context.Context, t terminal) (string, error) {
	if len(f.packages) == 0 {
		if f.suite != "" {
			return "", errors.New("--suite says where the packages of --with come from; name some")
		}
		return "", nil
	}
	u, err := fetchUserland(ctx, t, kernels.Wanted{Suite: f.suite, Packages: f.packages})
	if err != nil {
		return "", err
	}
	return u.Tar, nil
}

// fetchUserland gives programs for a guest from the store or the mirror.
func fetchUserland(ctx context.Context, t terminal, w kernels.Wanted) (*kernels.Userland, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	return store.Userland(ctx, w, func(p kernels.Progress) {
		fmt.Fprintf(t.err, "%s: %s\n", p.Kernel, p.Step)
	})
}

// commandFlags are those of `skleak vm run` that go with a command; the others
// are about scenarios and what is told of them.
func commandFlags() []string {
	return []string{"kernel", "with", "suite", "accel", "memory", "boot-deadline", "keep"}
}

// commandOf splits the arguments of `skleak vm run`: what stands after "--" is a
// command for the guest. Nil is none.
func commandOf(cmd *cobra.Command, args []string) ([]string, error) {
	dash := cmd.ArgsLenAtDash()
	if dash < 0 {
		return nil, nil
	}
	if dash > 0 {
		return nil, fmt.Errorf("%s stands before a command; a guest runs scenarios or a command, not both", strings.Join(args[:dash], " "))
	}
	if len(args) == 0 {
		return nil, errors.New("after -- goes a command for the guest, like `-- ip link`")
	}
	var wrong []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(commandFlags(), f.Name) {
			wrong = append(wrong, "--"+f.Name)
		}
	})
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s is about scenarios; with a command there are none", strings.Join(wrong, ", "))
	}
	return args, nil
}

// runCommand runs a command in a guest; its exit status is ours.
func (f *vmRunFlags) runCommand(cmd *cobra.Command, t terminal, argv []string, status *statusCode) error {
	if err := f.vm.check(); err != nil {
		return err
	}
	if f.vm.keep != "" {
		if err := os.MkdirAll(f.vm.keep, 0o755); err != nil {
			return fmt.Errorf("make the folder of --keep: %w", err)
		}
	}
	m, err := f.guest(cmd.Context(), t)
	if err != nil {
		return err
	}
	words := replay([]string{"vm", "run", "--kernel", string(m.Kernel.Name), "--keep", "guest"}, cmd.Flags(), nil)
	m.Replay = words + " -- " + shellescape.QuoteCommand(argv)
	list, err := withoutCards()
	if err != nil {
		return err
	}
	c := vm.Command{Argv: argv, Stdout: t.guestOut(), Stderr: t.err}
	exit, err := m.Command(cmd.Context(), list, c)
	if err != nil {
		if cmd.Context().Err() == nil {
			fmt.Fprintln(t.err, vm.Explain(err))
		}
		return err
	}
	if exit.Text != "" {
		fmt.Fprintf(t.err, "skleak: %s\n", exit.Text)
	}
	*status = statusCode(exit.Status)
	return nil
}

// guest is a VM of the flags' kernel with the packages of --with.
func (f *vmRunFlags) guest(ctx context.Context, t terminal) (vm.VM, error) {
	k, err := fetchKernel(ctx, t, f.kernel)
	if err != nil {
		return vm.VM{}, err
	}
	m, err := f.vm.machine(k)
	if err != nil {
		return vm.VM{}, err
	}
	if m.Userland, err = f.with.userland(ctx, t); err != nil {
		return vm.VM{}, err
	}
	return m, accelerate(ctx, &m)
}

// guestOut is where a guest's command writes: untouched, unless somebody reads
// it on a terminal.
func (t terminal) guestOut() io.Writer {
	if t.outWidth > 0 {
		return t.out
	}
	return t.plain
}

// withoutCards is the catalogue without what needs a network card: their modules
// are those that a guest's command finds loaded.
func withoutCards() ([]scenarios.Scenario, error) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(sc scenarios.Scenario) bool {
		return slices.ContainsFunc(sc.Links, func(l scenarios.Link) bool { return l.Kind() == "nic" })
	}), nil
}
