// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"slices"
	"time"

	"skleak/harness/ledger/probes"
	"skleak/record"
	"skleak/scenarios"
)

// Request is what a runner asks of a sandbox.
type Request struct {
	Scenario scenarios.Scenario `json:"scenario"`
	Options  Options            `json:"options"`
	Place    Place              `json:"place"`
}

// Place is what the runner knows of the kernel, and what it prepared there for
// all experiments. No user sets it.
type Place struct {
	// Quiet says that nothing else runs on this kernel (a guest), so that
	// host-wide counts may be believed.
	Quiet bool `json:"quiet"`
	// Count says how live skbs are counted.
	Count CountMode `json:"count,omitempty"`
	// Cards says that this kernel is a VM's guest and its network cards are there
	// to be used up: a host's cards are not ours.
	Cards bool `json:"cards"`
	// Probes are the BPF programs attached for ledgers; nil where there are none.
	Probes *probes.IDs `json:"probes,omitempty"`
	// Unproven are the processors kept awake for ledgers.
	Unproven []int `json:"unproven,omitempty"`
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

// CountModeOf is how the skbs of sc are counted, by what it is built of. A card that
// a fault befell is not what it was, so its experiment is made once; one that is
// thought to hold something then is made beside others, uncounted.
func CountModeOf(sc scenarios.Scenario) CountMode {
	switch {
	case hasCard(sc) && sc.MayWait():
		return CountNot
	case hasCard(sc):
		return CountRun
	case sc.MayWait():
		return CountBurst
	default:
		return CountHeld
	}
}

// hasCard reports a network card: what its driver prepares for packets to come
// is counted too, and what befell it cannot be repeated.
func hasCard(sc scenarios.Scenario) bool {
	return slices.ContainsFunc(sc.Links, func(l scenarios.Link) bool { return l.Kind() == "nic" })
}

// Setup is what an experiment is made of.
type Setup struct {
	Request Request
	// Kernel is the running one.
	Kernel record.Kernel
	// Known is what this process has measured before, and grows.
	Known Calibrations
	// Began is the moment that all times count from.
	Began time.Time
	// Emit takes phases, readings and notes as they come, from several goroutines.
	Emit func(record.Event)
}

// New is the experiment of s, which nothing was done for yet.
func New(s Setup) *Experiment {
	return &Experiment{
		sc: s.Request.Scenario, o: s.Request.Options, place: s.Request.Place, began: s.Began,
		calibrated: s.Known, trace: newTrace(s.Request, s.Kernel), emit: s.Emit,
	}
}
