// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"skleak/harness/experiment"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// runner runs the scenarios of one Local.Run.
type runner struct {
	l      Local
	place  experiment.Place
	boxes  *pool
	events chan<- record.Event
	// slots are taken by those that build and send; those that wait have none.
	slots chan struct{}
	wg    sync.WaitGroup
	// fail ends the run.
	fail func(error)
}

// inOrder puts scenarios that will wait out their patience in front, so that the
// others run meanwhile, and controls last.
func inOrder(list []scenarios.Scenario) []scenarios.Scenario {
	rank := func(sc scenarios.Scenario) int {
		switch {
		case sc.MayWait():
			return 0
		case sc.Control != scenarios.NotControl:
			return 2
		}
		return 1
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b scenarios.Scenario) int { return rank(a) - rank(b) })
	return sorted
}

// start runs sc beside others as soon as there is room. It is false when ctx has
// ended.
func (r *runner) start(ctx context.Context, sc scenarios.Scenario, counted *record.SkbCount) bool {
	if !r.takeSlot(ctx) {
		return false
	}
	r.wg.Go(func() {
		free := sync.OnceFunc(func() { <-r.slots })
		defer free()
		last, err := r.one(ctx, sc, experiment.CountNot, func(phase string) {
			if phase == record.PhaseSettle || r.place.Quiet && phase == record.PhaseFull {
				free()
			}
		})
		if last != nil && last.Trace != nil && counted != nil {
			last.Trace.Orphans = counted
		}
		r.end(last, err)
	})
	return true
}

func (r *runner) takeSlot(ctx context.Context) bool {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	return ctx.Err() == nil
}

func (r *runner) end(last *record.Event, err error) {
	if err != nil {
		r.fail(err)
	}
	if last != nil {
		r.events <- *last
	}
}

// countAndRun runs list where skbs are counted, which are the whole machine's.
// First everything runs alone. What is held then would be in the counts of
// others, so an experiment that has to wait for something held is left, its skbs
// counted, and made again at the end, when those that wait run beside each other.
func (r *runner) countAndRun(ctx context.Context, list []scenarios.Scenario) {
	counts := map[string]*record.SkbCount{}
	var later []scenarios.Scenario
	for _, mayWait := range []bool{false, true} {
		for _, sc := range list {
			if sc.MayWait() != mayWait {
				continue
			}
			if !r.takeSlot(ctx) {
				return
			}
			count, ended := r.alone(ctx, sc)
			<-r.slots
			if !ended {
				counts[sc.Name] = count
				later = append(later, sc)
			}
		}
	}
	for _, sc := range later {
		if !r.start(ctx, sc, counts[sc.Name]) {
			return
		}
	}
}

// alone runs sc while nobody else does anything. It has not ended where its
// experiment is still to be made.
func (r *runner) alone(ctx context.Context, sc scenarios.Scenario) (count *record.SkbCount, ended bool) {
	mode := experiment.CountModeOf(sc)
	if mode == experiment.CountNot {
		return nil, false
	}
	waits := false
	last, err := r.one(ctx, sc, mode, func(phase string) { waits = waits || phase == record.PhasePatience })
	wanted := mode == experiment.CountBurst || mode == experiment.CountHeld && waits
	if err != nil || last == nil || last.Trace == nil || !wanted {
		r.end(last, err)
		return nil, true
	}
	r.events <- record.Event{Kind: record.EventPhase, Scenario: sc.Name, AtNs: last.AtNs, Text: record.PhaseLater}
	return last.Trace.Orphans, false
}

// one runs sc in a sandbox of its own and hands on its events but the last. Its
// error means that no sandbox can be made at all, or none any more.
func (r *runner) one(ctx context.Context, sc scenarios.Scenario, mode experiment.CountMode, phase func(string)) (*record.Event, error) {
	box, err := r.boxes.take()
	if err != nil {
		var denied *PrivilegeError
		if errors.As(err, &denied) {
			return nil, err
		}
		return trouble(sc.Name, err.Error()), nil
	}
	req := experiment.Request{Scenario: sc, Options: r.l.Options, Place: r.place}
	req.Place.Count = mode
	deadline := r.l.deadline(sc)
	boxCtx, stop := context.WithTimeout(ctx, deadline)
	defer stop()
	var last *record.Event
	if err = r.giveCards(sc, box); err == nil {
		err = box.run(boxCtx, req, func(e record.Event) bool {
			if e.Ends() {
				last = &e
				return true
			}
			if e.Kind == record.EventPhase {
				phase(e.Text)
			}
			r.events <- e
			return true
		})
	}
	how, finishErr := r.boxes.giveBack(box, err == nil && boxCtx.Err() == nil)
	switch {
	case errors.Is(finishErr, errUnkillable):
		return nil, fmt.Errorf("scenario %s: %w", sc.Name, finishErr)
	case ctx.Err() != nil:
		return nil, nil //nolint:nilnil // whoever ended ctx wants nothing more
	case boxCtx.Err() != nil:
		return trouble(sc.Name, fmt.Sprintf("not done after %s; the sandbox was torn down", deadline)), nil
	default:
		return ending(sc.Name, last, err, how, finishErr), nil
	}
}

// giveCards moves the network cards of sc into the sandbox before it begins.
func (r *runner) giveCards(sc scenarios.Scenario, box *sandbox) error {
	if !r.place.Cards {
		return nil
	}
	return netns.GiveCards(sc, box.cmd.Process.Pid)
}
