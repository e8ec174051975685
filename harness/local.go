package harness

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

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
	Options Options
	// KeepLeftovers does not free what killed runs left.
	KeepLeftovers bool
	// Throwaway says that this kernel ends with the run (a guest). Then nothing
	// is done for what a killed run might leave, and a sandbox's process serves
	// one scenario after another, each in a new namespace: without KVM starting
	// a process costs as much as an experiment. It needs a Self without cgo.
	Throwaway bool
}

// DefaultSelf is the running binary.
const DefaultSelf = "/proc/self/exe"

// NewLocal is a Local with the defaults: two sandboxes a processor, because
// most of a sandbox's life is waiting for the kernel's RTNL lock.
func NewLocal() Local {
	return Local{Self: DefaultSelf, Jobs: 2 * runtime.NumCPU(), Options: DefaultOptions()}
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
		l.runAll(ctx, reg, list, yield)
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

func (l Local) runAll(ctx context.Context, reg Registry, list []scenarios.Scenario, yield func(record.Event, error) bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	boxes := &crew{registry: reg, self: l.Self, lasts: l.Throwaway}
	defer boxes.dismiss()
	events := make(chan record.Event)
	slots := make(chan struct{}, max(l.Jobs, 1))
	var wg sync.WaitGroup
	go func() {
		defer close(events)
		defer wg.Wait()
		sorted := l.inOrder(list)
		for i, sc := range sorted {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			if ctx.Err() != nil {
				return
			}
			one := l
			// The next one sends as soon as this one waits.
			one.Options.Crowded = l.Options.Quiet && sc.MayHold() && i < len(sorted)-1
			wg.Go(func() {
				if err := one.runOne(ctx, boxes, sc, slots, events); err != nil {
					cancel(err)
				}
			})
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

// inOrder puts scenarios that will wait out their patience in front, so that the
// others run meanwhile. Where skbs are counted they come last: what they hold
// would be in the counts.
func (l Local) inOrder(list []scenarios.Scenario) []scenarios.Scenario {
	sorted := slices.Clone(list)
	rank := func(sc scenarios.Scenario) int {
		switch {
		case sc.MayHold() && l.Options.Quiet:
			return 3
		case sc.MayHold():
			return 0
		case sc.Control != scenarios.NotControl:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b scenarios.Scenario) int { return rank(a) - rank(b) })
	return sorted
}

// letsOthers says whether other sandboxes may send from a phase on. Where skbs
// are counted and sc should hold none, that is not before it waits nevertheless.
func (l Local) letsOthers(sc scenarios.Scenario, phase string) bool {
	switch {
	case l.Options.Quiet && !sc.MayHold():
		return phase == record.PhasePatience
	case l.Options.Crowded && phase == record.PhaseFull:
		return true
	}
	return phase == record.PhaseSettle
}

// runOne runs one scenario in a sandbox of its own. Its error means that no
// sandbox can be made at all, or none any more.
func (l Local) runOne(ctx context.Context, boxes *crew, sc scenarios.Scenario, slots <-chan struct{}, events chan<- record.Event) error {
	freeSlot := sync.OnceFunc(func() { <-slots })
	defer freeSlot()
	box, err := boxes.take()
	if err != nil {
		var denied *PrivilegeError
		if errors.As(err, &denied) {
			return err
		}
		events <- trouble(sc.Name, err.Error())
		return nil
	}
	deadline := l.deadline(sc)
	boxCtx, stop := context.WithTimeout(ctx, deadline)
	defer stop()
	var last *record.Event
	disturbed, refilled := boxes.filling.start(), 0
	if err = l.giveCards(sc, box); err == nil {
		err = box.run(boxCtx, sc, l.Options, func(e record.Event) bool {
			switch {
			case e.Kind == record.EventPhase && l.letsOthers(sc, e.Text):
				freeSlot()
			case e.Kind == record.EventPhase && e.Text == record.PhaseRefill:
				refilled++
				boxes.filling.refill()
			}
			if e.Ends() {
				last = &e
				return true
			}
			events <- e
			return true
		})
	}
	how, finishErr := boxes.giveBack(box, err == nil && boxCtx.Err() == nil)
	boxes.filling.end(refilled)
	if last != nil && last.Trace != nil && disturbed(refilled) {
		last.Trace.Orphans = nil
	}
	switch {
	case errors.Is(finishErr, errUnkillable):
		return fmt.Errorf("scenario %s: %w", sc.Name, finishErr)
	case ctx.Err() != nil:
		return nil
	case boxCtx.Err() != nil:
		events <- trouble(sc.Name, fmt.Sprintf("not done after %s; the sandbox was torn down", deadline))
	default:
		events <- ending(sc.Name, last, err, how, finishErr)
	}
	return nil
}

// ending is what ends a scenario whose child said last, was read with err
// and ended by how.
func ending(scenario string, last *record.Event, err error, how string, finishErr error) record.Event {
	switch {
	case last != nil && last.Kind != record.EventTrace:
		return *last
	case err != nil || how != "":
		return trouble(scenario, troubleText(err, how))
	case finishErr != nil:
		return trouble(scenario, fmt.Sprintf("clean up after its sandbox: %v", finishErr))
	default:
		return *last
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

func trouble(scenario, text string) record.Event {
	return record.Event{Kind: record.EventTrouble, Scenario: scenario, Text: text}
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
		d += 2 * maxLawRun
	}
	return d
}

func (l Local) patience(sc scenarios.Scenario) time.Duration {
	if sc.Patience != nil {
		return *sc.Patience
	}
	return l.Options.Patience
}
