// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"skleak/kernels"
	"skleak/kernels/modbuild"
	"skleak/mutants"
)

func mutantsCommand(t terminal, status *statusCode) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mutants",
		Short: "Put known bugs into a kernel and see that each is found",
		Long: `A mutant is a folder with a Coccinelle semantic patch (mutant.cocci) and what
must find it (mutant.yaml). skleak takes the kernel's source and headers from
Debian, patches and builds the one module, and runs the catalogue on the kernel
with that module replaced.

Name mutants of skleak's own, or folders: of one mutant or of several. Without
any, it is all of skleak's own.`,
		Example: `  skleak mutants list
  skleak mutants build tun-no-orphan --kernel debian:6.1 --diff
  skleak mutants run --kernel debian:6.1
  skleak mutants run ./my-mutants --kernel debian:6.12`,
	}
	cmd.AddCommand(mutantsListCommand(t), mutantsBuildCommand(t), mutantsRunCommand(t, status))
	return cmd
}

// chooseMutants finds the mutants that args name.
func chooseMutants(ctx context.Context, args []string) ([]mutants.Mutant, error) {
	own, err := mutants.Own()
	if err != nil || len(args) == 0 {
		return own, err
	}
	var chosen []mutants.Mutant
	for _, arg := range args {
		i := slices.IndexFunc(own, func(m mutants.Mutant) bool { return m.Name == arg })
		found := []mutants.Mutant{}
		if i >= 0 {
			found = append(found, own[i])
		} else if found, err = foreignMutants(ctx, arg); err != nil {
			return nil, err
		}
		for _, m := range found {
			if slices.ContainsFunc(chosen, func(o mutants.Mutant) bool { return o.Name == m.Name }) {
				return nil, fmt.Errorf("two mutants are called %s; rename one", m.Name)
			}
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

func foreignMutants(ctx context.Context, dir string) ([]mutants.Mutant, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("no mutant %q and no such folder; `skleak mutants list` names skleak's own", dir)
	}
	return mutants.LoadAll(ctx, dir)
}

func mutantsListCommand(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [NAME…|DIR]",
		Short:   "List the mutants",
		Example: `  skleak mutants list --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := chooseMutants(cmd.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(t.out, list)
			}
			w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
			for _, m := range list {
				cells(w, m.Name, m.Module, strings.TrimSpace(m.About))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func mutantsBuildCommand(t terminal) *cobra.Command {
	var kernel string
	var diff bool
	cmd := &cobra.Command{
		Use:   "build [NAME…|DIR] --kernel KERNEL",
		Short: "Build the patched modules",
		Example: `  skleak mutants build --kernel debian:6.1
  skleak mutants build tun-no-orphan --kernel debian:6.12 --diff`,
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := chooseMutants(cmd.Context(), args)
			if err != nil {
				return err
			}
			k, err := fetchKernel(cmd.Context(), t, kernel)
			if err != nil {
				return err
			}
			built, err := buildMutants(cmd.Context(), t, k, list)
			for i, b := range built {
				if b.File == "" {
					continue
				}
				fmt.Fprintf(t.out, "%s  %s\n", list[i].Name, b.File)
				if diff {
					fmt.Fprintln(t.out, b.Diff)
				}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&kernel, "kernel", "", "the kernel, like debian:6.1")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what each patch came to in the source")
	return cmd
}

// buildMutants builds as many at once as there are processors. One that fails
// leaves an empty Built, and the others are built all the same.
func buildMutants(ctx context.Context, t terminal, k *kernels.Kernel, list []mutants.Mutant) ([]modbuild.Built, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	b := modbuild.Builder{Store: store}
	built := make([]modbuild.Built, len(list))
	errs := make([]error, len(list))
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for i, m := range list {
		group.Go(func() error {
			built[i], errs[i] = b.Build(ctx, k, m, func(s string) { fmt.Fprintf(t.err, "%s: %s\n", k.Name, s) })
			return nil
		})
	}
	_ = group.Wait()
	return built, errors.Join(errs...)
}

// mutantKernels gives the kernel of each mutant.
func mutantKernels(ctx context.Context, t terminal, k *kernels.Kernel, list []mutants.Mutant) ([]*kernels.Kernel, error) {
	built, err := buildMutants(ctx, t, k, list)
	if err != nil {
		return nil, err
	}
	var out []*kernels.Kernel
	for i, m := range list {
		name := k.Name.With(m.Name)
		over, err := k.WithModule(name, m.Module, built[i].File)
		if err != nil {
			return nil, err
		}
		out = append(out, over)
	}
	return out, nil
}

// mutantKernel gives a kernel with one of skleak's own mutants.
func mutantKernel(ctx context.Context, t terminal, name kernels.Name, mutant string) (*kernels.Kernel, error) {
	list, err := mutants.Own()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(m mutants.Mutant) bool { return m.Name == mutant })
	if i < 0 {
		return nil, fmt.Errorf("kernel %s+%s: no such mutant; `skleak mutants list` names them", name, mutant)
	}
	k, err := fetchKernel(ctx, t, string(name))
	if err != nil {
		return nil, err
	}
	out, err := mutantKernels(ctx, t, k, list[i:i+1])
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
