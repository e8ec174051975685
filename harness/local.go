// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"time"

	"skleak/harness/experiment"
	"skleak/record"
	"skleak/scenarios"
)

// Local runs scenarios on the running kernel.
type Local struct {
	// Self is the binary to execute again as the sandbox child.
	Self string
	// Jobs is how many sandboxes may build and send at once; those that have sent
	// do not count.
	Jobs    int
	Options experiment.Options
	// KeepLeftovers does not free what killed runs left.
	KeepLeftovers bool
	// Throwaway says that this kernel ends with the run (a guest). Then nothing
	// is done for what a killed run might leave, and a sandbox's process serves
	// one scenario after another, each in a new namespace: without KVM starting
	// a process costs as much as an experiment. It needs a Self without cgo.
	Throwaway bool
	// Quiet says that nothing else runs on this kernel, so that counts of the
	// whole kernel's skbs may be believed.
	Quiet bool
	// Cards says that the kernel's network cards are there to be used up.
	Cards bool
}

// DefaultSelf is the running binary.
const DefaultSelf = "/proc/self/exe"

// NewLocal is a Local with the defaults: two sandboxes a processor, because
// most of a sandbox's life is waiting for the kernel's RTNL lock.
func NewLocal() Local {
	return Local{Self: DefaultSelf, Jobs: 2 * runtime.NumCPU(), Options: experiment.DefaultOptions()}
}

// Run yields the events of every scenario, those of several sandboxes mixed.
// An error ends the stream: no sandbox can be made here at all (PrivilegeError)
// or ctx was cancelled. Trouble with one scenario is an event of that scenario.
func (l Local) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		reg := NewRegistry(os.Geteuid())
		if text := l.sweep(reg); text != "" && !yield(record.Event{Kind: record.EventNote, Text: text}, nil) {
			return
		}
		kernel := Kernel()
		if !yield(record.Event{Kind: record.EventHello, Kernel: &kernel}, nil) {
			return
		}
		held, notes := l.holdLedger()
		defer func() { _ = held.Close() }()
		for _, note := range notes {
			if !yield(record.Event{Kind: record.EventNote, Text: note}, nil) {
				return
			}
		}
		place := experiment.Place{Quiet: l.Quiet, Cards: l.Cards}
		held.tell(&place)
		l.runAll(ctx, reg, place, list, yield)
	}
}

// sweep frees what killed runs left and says so.
func (l Local) sweep(reg Registry) string {
	if l.KeepLeftovers {
		return ""
	}
	n, err := reg.Sweep()
	switch {
	case err != nil:
		return fmt.Sprintf("could not free a sandbox of a killed run: %v", err)
	case n > 0:
		return fmt.Sprintf("freed %d sandboxes that a killed run had left", n)
	default:
		return ""
	}
}

func (l Local) runAll(ctx context.Context, reg Registry, place experiment.Place, list []scenarios.Scenario, yield func(record.Event, error) bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	boxes := &pool{registry: reg, self: l.Self, lasts: l.Throwaway}
	defer boxes.dismiss()
	events := make(chan record.Event)
	r := &runner{l: l, place: place, boxes: boxes, events: events, slots: make(chan struct{}, max(l.Jobs, 1)), fail: cancel}
	go func() {
		defer close(events)
		defer r.wg.Wait()
		if l.Quiet {
			r.countAndRun(ctx, list)
			return
		}
		for _, sc := range inOrder(list) {
			if !r.start(ctx, sc, nil) {
				return
			}
		}
	}()
	going := true
	for e := range events {
		if going && !yield(e, nil) {
			going = false
			cancel(nil)
		}
	}
	if err := context.Cause(ctx); going && err != nil {
		yield(record.Event{}, err)
	}
}

// ending is what ends a scenario whose child said last, was read with err
// and ended by how.
func ending(scenario string, last *record.Event, err error, how string, finishErr error) *record.Event {
	switch {
	case last != nil && last.Kind != record.EventTrace:
		return last
	case err != nil || how != "":
		return trouble(scenario, troubleText(err, how))
	case finishErr != nil:
		return trouble(scenario, fmt.Sprintf("clean up after its sandbox: %v", finishErr))
	default:
		return last
	}
}

func troubleText(err error, how string) string {
	switch {
	case how == "":
		return err.Error()
	case err == nil, errors.Is(err, errIncomplete):
		return "the sandbox child ended early: " + how
	default:
		return fmt.Sprintf("%v; the sandbox child: %s", err, how)
	}
}

func trouble(scenario, text string) *record.Event {
	return &record.Event{Kind: record.EventTrouble, Scenario: scenario, Text: text}
}

// longestSend bounds what a deadline reckons with.
const longestSend = 1000 * time.Hour

// deadline is long enough for whatever a sound run of sc may take.
func (l Local) deadline(sc scenarios.Scenario) time.Duration {
	d := time.Minute + 3*l.patience(sc) + l.Options.Settle
	send := sc.Traffic.Duration
	if sc.Traffic.Rate > 0 && sc.Traffic.Count > 0 {
		paced := min(float64(sc.Traffic.Count)/sc.Traffic.Rate, longestSend.Seconds())
		send = max(send, time.Duration(paced*float64(time.Second)))
	}
	// Traffic may be sent twice (refill); the law's paced runs last up to a minute each.
	d += 2*send + time.Duration(sc.Traffic.Count)*100*time.Microsecond
	if l.Options.VerifyLaw {
		d += 2 * experiment.MaxLawRun
	}
	return d
}

func (l Local) patience(sc scenarios.Scenario) time.Duration {
	if sc.Patience != nil {
		return *sc.Patience
	}
	return l.Options.Patience
}
