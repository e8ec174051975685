// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"skleak/harness/experiment"
)

// ledgerFlag is --ledger: alone it means all there is.
type ledgerFlag struct{ mode experiment.LedgerMode }

func (f *ledgerFlag) register(fs *pflag.FlagSet) {
	fs.Var(f, "ledger", "follow each skb and name who holds it (root); =tracepoints leaves BPF out")
	fs.Lookup("ledger").NoOptDefVal = string(experiment.LedgerOn)
}

// String implements pflag.Value.
func (f *ledgerFlag) String() string { return string(f.mode) }

// Type implements pflag.Value.
func (f *ledgerFlag) Type() string { return "on|tracepoints" }

// Set implements pflag.Value.
func (f *ledgerFlag) Set(text string) error {
	switch mode := experiment.LedgerMode(text); mode {
	case experiment.LedgerOn, experiment.LedgerTracepoints:
		f.mode = mode
		return nil
	}
	return fmt.Errorf("want %s or %s", experiment.LedgerOn, experiment.LedgerTracepoints)
}
