// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// helpfulUsage makes wrong usage, of cmd and the commands below it, end with
// what to do. A name that is no command is an error for those that only group
// others, too.
func helpfulUsage(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		helpfulUsage(sub)
	}
	if !cmd.Runnable() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = helpOrUnknown
		cmd.DisableFlagsInUseLine = true
		return
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w; use it as `%s`", err, cmd.UseLine())
		}
		return nil
	}
}

// helpOrUnknown is what a command does that only groups others.
func helpOrUnknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	meant := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		meant = fmt.Sprintf("; did you mean %s?", strings.Join(near, ", "))
	}
	return fmt.Errorf("no command %q in `%s`%s; `%s --help` has them all", args[0], cmd.CommandPath(), meant, cmd.CommandPath())
}
