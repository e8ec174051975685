// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skleak/scenarios"
)

func configCommand(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the kernel config that the catalogue needs",
		Long: `Print a fragment for the kernel's scripts/kconfig/merge_config.sh: what the
link kinds, qdiscs and filters of the catalogue need, and what a VM needs to
boot and to send its results out. What is missing in a kernel makes skips.`,
		Example: `  skleak config > skleak.config
  scripts/kconfig/merge_config.sh .config skleak.config   # in a kernel tree`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return printConfig(t.out) },
	}
}

// guestOptionsOfKernel are what a guest needs whatever runs in it.
func guestOptionsOfKernel() []string {
	return []string{
		"CONFIG_PVH", "CONFIG_BLK_DEV_INITRD", "CONFIG_DEVTMPFS", "CONFIG_PROC_FS", "CONFIG_SYSFS", "CONFIG_TMPFS",
		"CONFIG_SERIAL_8250", "CONFIG_SERIAL_8250_CONSOLE", "CONFIG_PCI", "CONFIG_VIRTIO_PCI", "CONFIG_VIRTIO_CONSOLE",
		"CONFIG_NET_NS", "CONFIG_USER_NS", "CONFIG_PACKET", "CONFIG_INET", "CONFIG_NET_SCHED",
	}
}

func printConfig(out io.Writer) error {
	var b strings.Builder
	section := func(title string, options []string) {
		fmt.Fprintf(&b, "# %s\n", title)
		for _, o := range options {
			fmt.Fprintf(&b, "%s=y\n", o)
		}
	}
	section("a guest", guestOptionsOfKernel())
	section("links, their modes and ciphers", kindOptions(scenarios.Kinds()))
	section("qdiscs", kindOptions(scenarios.QdiscKinds()))
	section("filters", options(scenarios.FilterNeeds("nfqueue")))
	_, err := io.WriteString(out, b.String())
	return err
}

// kindOptions takes the options out of a table of kinds, each once.
func kindOptions(kinds []scenarios.Kind) []string {
	var needs []scenarios.Need
	for _, k := range kinds {
		needs = append(append(needs, scenarios.Need{Config: k.Config}), k.Uses...)
	}
	return options(needs)
}

func options(needs []scenarios.Need) (out []string) {
	for _, n := range needs {
		out = append(out, n.Config...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
