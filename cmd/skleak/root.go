// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// rootCommand is the whole command tree.
func rootCommand(t terminal, status *statusCode) *cobra.Command {
	root := &cobra.Command{
		Use:   "skleak",
		Short: "Find the link that keeps what your socket sends",
		Long: `skleak shows which kinds of network link keep or leak what a socket sends
through them. It builds throwaway network namespaces, sends multicast raw
packets, and measures the growth of the sender's own sk_wmem_alloc.`,
		Example: `  skleak run                        # the whole catalogue, on this kernel
  skleak run tun vxlan/unresolved   # a family and a case
  skleak run mine.yaml --json       # your own scenarios
  skleak list                       # what there is
  skleak doctor                     # what this machine can do`,
		SilenceUsage:  true,
		SilenceErrors: true,
		// Far enough for a slip or two.
		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; `%s --help` has the flags", err, cmd.CommandPath())
	})
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.AddCommand(
		runCommand(t, status),
		listCommand(t),
		doctorCommand(t, status),
		judgeCommand(t, status),
		reportCommand(t, status),
		soakCommand(t, status),
		watchCommand(t, status),
		blameCommand(t, status),
		storyCommand(t, status),
		traceCommand(t, status),
		snapshotCommand(t),
		probeCommand(t, status),
		vmCommand(t, status),
		kernelsCommand(t),
		matrixCommand(t, status),
		mutantsCommand(t, status),
		planCommand(t),
		mergeCommand(t, status),
		diffCommand(t, status),
		configCommand(t),
		manCommand(),
	)
	root.InitDefaultCompletionCmd()
	helpfulUsage(root)
	return root
}
