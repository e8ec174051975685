// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"skleak/kernels"
)

func kernelsCommand(t terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kernels",
		Short: "List, fetch, show and remove kernels for VMs",
		Long: `Kernels come from the Debian archive of this machine's apt configuration, in
every suite it serves, and are kept in a store in the user's cache (SKLEAK_STORE
names another place). Nothing is installed. On a machine with apt that is no
Debian, debian.sources in the store names the archive, as sources.list(5) says.

  debian:6.12            the newest 6.12 served
  debian:6.12.43         that one
  debian:6.1..7.3        the newest of each series from 6.1 to 7.3
  debian:6.12/cloud      the cloud flavour (else amd64)
  path:DIR               a kernel build tree
  file:BZIMAGE,MODULES   a kernel and its folder of modules

Several are separated by commas.`,
		Example: `  skleak kernels list --available
  skleak kernels fetch debian:6.1,debian:7.3
  skleak kernels show debian:6.1`,
	}
	cmd.AddCommand(kernelsListCommand(t), kernelsFetchCommand(t), kernelsShowCommand(t), kernelsRemoveCommand(t))
	return cmd
}

func kernelsListCommand(t terminal) *cobra.Command {
	var available, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the kernels in the store, or those that can be had",
		Example: `  skleak kernels list
  skleak kernels list --available --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			if available {
				c, err := store.Available(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(t.out, c)
				}
				return printAvailable(t.out, c)
			}
			list, err := store.List()
			if err != nil {
				return err
			}
			if asJSON {
				if list == nil {
					list = []*kernels.Kernel{}
				}
				return printJSON(t.out, list)
			}
			return printStored(t.out, store, list)
		},
	}
	cmd.Flags().BoolVar(&available, "available", false, "list what the Debian archive serves")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printAvailable(out io.Writer, c *kernels.Catalogue) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KERNEL\tRELEASE\tDOWNLOAD\tSTORE\tMISSING PACKAGES")
	for _, r := range c.Releases {
		var size int64
		for _, p := range r.Packages {
			size += p.Size
		}
		stored := ""
		if r.Stored {
			stored = "stored"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Uname, bytesText(size), stored, strings.Join(r.Missing, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d kernels in %s, asked on %s\n", len(c.Releases), strings.Join(c.Suites, ", "), c.Updated.Format("2006-01-02 15:04"))
	for _, note := range c.Notes {
		_, err = fmt.Fprintln(out, note)
	}
	return err
}

func printStored(out io.Writer, store *kernels.Store, list []*kernels.Kernel) error {
	if len(list) == 0 {
		_, err := fmt.Fprintf(out, "no kernel in %s; `skleak kernels fetch debian:6.12` fetches one\n", store.Dir())
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KERNEL\tRELEASE\tSIZE\tFETCHED")
	var total int64
	for _, k := range list {
		total += k.Size
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Name, k.Release, bytesText(k.Size), k.Fetched.Format("2006-01-02"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d kernels, %s in %s\n", len(list), bytesText(total), store.Dir())
	return err
}

func bytesText(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

func kernelsFetchCommand(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "fetch KERNEL…",
		Short:   "Fetch kernels into the store",
		Example: `  skleak kernels fetch debian:5.10..7.3 debian:6.12/cloud`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			names, err := resolveKernels(cmd.Context(), store, strings.Join(args, ","))
			if err != nil {
				return err
			}
			for _, name := range names {
				k, err := fetchOne(cmd.Context(), t, store, name)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(t.out, "%s %s\n", k.Name, k.Release); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func kernelsShowCommand(t terminal) *cobra.Command {
	var asJSON, verify bool
	cmd := &cobra.Command{
		Use:   "show KERNEL",
		Short: "Show what the store has of a kernel",
		Example: `  skleak kernels show debian:6.1
  skleak kernels show debian:6.1 --verify --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			names, err := resolveKernels(cmd.Context(), store, args[0])
			if err != nil {
				return err
			}
			for _, name := range names {
				k, err := store.Show(name)
				if err != nil {
					return fmt.Errorf("%w; `skleak kernels fetch %s` gets it", err, name)
				}
				if verify {
					if err := k.Verify(cmd.Context()); err != nil {
						return err
					}
				}
				if asJSON {
					err = printJSON(t.out, k)
				} else {
					err = printKernel(t.out, k)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&verify, "verify", false, "read every file and compare its checksum")
	return cmd
}

func printKernel(out io.Writer, k *kernels.Kernel) error {
	modules, err := k.Modules()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "kernel\t%s\nrelease\t%s\nvmlinux\t%s\nPVH\t%t\nconfig\t%s\n", k.Name, k.Release, k.Vmlinux, k.PVH, k.Config)
	fmt.Fprintf(w, "modules\t%d in %s, %d built in\nsize\t%s\nfetched\t%s\n", len(modules.All), k.ModulesDir, len(modules.Builtin), bytesText(k.Size), k.Fetched.Format("2006-01-02 15:04"))
	for _, p := range k.Packages {
		fmt.Fprintf(w, "package\t%s %s\n", p.Name, p.Version)
	}
	for _, note := range k.Notes {
		fmt.Fprintf(w, "note\t%s\n", note)
	}
	return w.Flush()
}

func kernelsRemoveCommand(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "remove KERNEL…",
		Short:   "Remove kernels from the store",
		Example: `  skleak kernels remove debian:6.12.117`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			names, err := resolveKernels(cmd.Context(), store, strings.Join(args, ","))
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := store.Remove(cmd.Context(), name); err != nil {
					return err
				}
				if _, err := fmt.Fprintf(t.out, "removed %s\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
