// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/spf13/pflag"
)

// replay is the command that does the same again on one kernel: words, every flag
// that was given and bears on what is measured, and what was named.
func replay(words []string, fs *pflag.FlagSet, args []string) string {
	all := append([]string{"skleak"}, words...)
	fs.Visit(func(f *pflag.Flag) {
		if !slices.Contains(besideTheRun(), f.Name) {
			all = append(all, "--"+f.Name+"="+f.Value.String())
		}
	})
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			// A file may be called like a flag.
			arg = "./" + arg
		}
		all = append(all, arg)
	}
	return shellescape.QuoteCommand(all)
}

// besideTheRun are the flags that choose a kernel, which the caller does, or say
// where results go.
func besideTheRun() []string {
	return []string{
		"kernel", "kernels", "shard", "parallel", "runs", "keep", "save", "json", "format", "output", "strict",
	}
}
