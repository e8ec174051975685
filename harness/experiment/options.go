// SPDX-License-Identifier: GPL-2.0-only

package experiment

import "time"

// Options are what one experiment may vary.
type Options struct {
	// Settle is the window after the last send at whose end held_bytes and
	// writable are read; it ends early when nothing is charged any more.
	Settle time.Duration `json:"settle"`
	// Patience is how long to wait for a held charge to go by itself.
	Patience time.Duration `json:"patience"`
	// VerifyLaw adds a paced run on each side of a predicted stall rate.
	VerifyLaw bool `json:"verify_law"`
	// RefuseModules makes a scenario a skip that would load a kernel module.
	RefuseModules bool `json:"refuse_modules"`
	// BuildOnly builds the scenario and undoes it, to see whether it can be had.
	// The trace is empty then.
	BuildOnly bool `json:"build_only"`
	// Ledger follows every skb, where this user and kernel can.
	Ledger LedgerMode `json:"ledger"`
}

// LedgerMode says what a ledger is kept with.
type LedgerMode string

// The modes.
const (
	LedgerOff LedgerMode = ""
	// LedgerOn takes all there is: tracepoints, and BPF where it can be had.
	LedgerOn LedgerMode = "on"
	// LedgerTracepoints leaves BPF out, to compare.
	LedgerTracepoints LedgerMode = "tracepoints"
)

// Defaults of Options.
const (
	DefaultSettle   = 300 * time.Millisecond
	DefaultPatience = 4 * time.Second
)

// DefaultOptions are the published windows.
func DefaultOptions() Options {
	return Options{Settle: DefaultSettle, Patience: DefaultPatience}
}
