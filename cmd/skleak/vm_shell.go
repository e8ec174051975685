// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"skleak/scenarios"
)

func vmShellCommand(t terminal) *cobra.Command {
	var f vmFlags
	var kernel string
	var with withFlags
	cmd := &cobra.Command{
		Use:   "shell --kernel KERNEL",
		Short: "Give a prompt inside a VM",
		Long: `Boot a kernel and give a shell in it (busybox, taken from this machine: on
Debian the package busybox-static). The modules that the catalogue needs are
loaded; skleak itself is in the PATH, and so are the Debian packages of --with.
The VM is gone when the shell ends.`,
		Example: `  skleak vm shell --kernel debian:6.1
  skleak vm shell --kernel debian:6.1 --with iproute2,frr
  skleak vm shell --kernel debian:7.3/cloud --memory 1024`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			k, err := fetchKernel(cmd.Context(), t, kernel)
			if err != nil {
				return err
			}
			m, err := f.machine(k)
			if err != nil {
				return err
			}
			if m.Userland, err = with.userland(cmd.Context(), t); err != nil {
				return err
			}
			if err := accelerate(cmd.Context(), &m); err != nil {
				return err
			}
			all, err := scenarios.Catalogue()
			if err != nil {
				return err
			}
			fmt.Fprintf(t.err, "booting %s; exit or Ctrl-D ends it\n", k.Name)
			return m.Shell(cmd.Context(), all)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&kernel, "kernel", "", "the kernel, like debian:6.12")
	f.registerMachine(fs)
	with.register(fs)
	return cmd
}
