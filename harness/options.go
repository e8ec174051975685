package harness

import (
	"time"

	"skleak/harness/ledger/probes"
)

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
	// Quiet says that nothing else runs on this kernel (a guest), so that
	// host-wide counts may be believed.
	Quiet bool `json:"quiet"`
	// Count says how live skbs are counted. Only Local sets it.
	Count CountMode `json:"count,omitempty"`
	// BuildOnly builds the scenario and undoes it, to see whether it can be had.
	// The trace is empty then.
	BuildOnly bool `json:"build_only"`
	// Ledger follows every skb, where this user and kernel can.
	Ledger LedgerMode `json:"ledger"`
	// Probes are the BPF programs that the runner of a ledger attached. Only Local
	// sets it.
	Probes *probes.Doors `json:"probes,omitempty"`
	// Unproven are the processors that the runner of a ledger keeps awake. Only Local
	// sets it.
	Unproven []int `json:"unproven,omitempty"`
	// Cards says that this kernel is a VM's guest and its network cards are there
	// to be used up. Only a guest's runner sets it: a host's cards are not ours.
	Cards bool `json:"cards"`
}

// CountMode says how live skbs are counted, where no other sandbox does anything
// meanwhile.
type CountMode string

// The modes.
const (
	// CountNot: others do something meanwhile.
	CountNot CountMode = ""
	// CountRun counts before and after the whole experiment.
	CountRun CountMode = "run"
	// CountHeld does so too, but where something is held the experiment ends there:
	// it is made again when others may run beside it.
	CountHeld CountMode = "held"
	// CountBurst only sends and counts; there is no experiment.
	CountBurst CountMode = "burst"
)

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
