// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"skleak/harness/traffic"
	"skleak/netns"
	"skleak/record"
)

// faults brings about the faults of a scenario's links in mid-burst. The
// sending goes on meanwhile. A nil one has none.
type faults struct {
	ctx context.Context //nolint:containedctx // that of the burst it lives for
	x   *Experiment
	due []netns.Fault
	// count is how many packets were sent, also read when a fault is over.
	mu    sync.Mutex
	count int
	going int
	wg    sync.WaitGroup
	errs  []error
}

func (x *Experiment) newFaults(ctx context.Context) *faults {
	if x.world == nil {
		return nil
	}
	due := x.world.Faults()
	if len(due) == 0 {
		return nil
	}
	return &faults{ctx: ctx, x: x, due: due}
}

// sent is told of n more packets.
func (f *faults) sent(n int) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count += n
	left := f.due[:0]
	for _, one := range f.due {
		if f.count < one.After {
			left = append(left, one)
			continue
		}
		f.going++
		f.wg.Go(func() { f.bring(one) })
	}
	f.due = left
}

// bring brings one fault about and says when it was.
func (f *faults) bring(one netns.Fault) {
	if one.Host != "" {
		f.x.emit(record.Event{Kind: record.EventAsk, Text: record.AskUnplug + " " + one.Host})
	}
	err := one.Do(f.ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.going--
	if err != nil {
		f.errs = append(f.errs, err)
		return
	}
	f.x.trace.Faults = append(f.x.trace.Faults, fmt.Sprintf("%s %s at packet %d", one.On, one.What, f.count))
}

// underWay reports whether a fault has begun and is not over.
func (f *faults) underWay() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.going > 0
}

// Packets go on while a fault is under way, in pieces of so many, at this rate
// where the scenario has none.
const (
	faultPiece = 100
	faultRate  = 1000
)

// sendOn goes on with a burst that is over before its faults are, and a piece
// longer: what comes after belongs to it.
func (x *Experiment) sendOn(ctx context.Context, s *sending, stats *traffic.Stats) error {
	if !s.faults.underWay() {
		return nil
	}
	plan := x.plan()
	plan.Count, plan.Duration = faultPiece, 0
	if plan.Rate == 0 {
		plan.Rate = faultRate
	}
	for last := false; !last; {
		last = !s.faults.underWay()
		more, err := s.stream.Run(ctx, plan, s)
		if err != nil {
			return err
		}
		addStats(stats, more)
	}
	return nil
}

func addStats(to *traffic.Stats, more traffic.Stats) {
	for i, one := range more.Sockets {
		sum := &to.Sockets[i]
		if sum.PacketsToStall < 0 && one.PacketsToStall >= 0 {
			sum.PacketsToStall, sum.StalledOn = sum.Sent+one.PacketsToStall, one.StalledOn
		}
		sum.Sent += one.Sent
		for j, l := range one.Links {
			sum.Links[j].Sent += l.Sent
			sum.Links[j].Refused += l.Refused
			sum.Links[j].Grew += l.Grew
		}
	}
	to.Sent += more.Sent
	to.Blocked += more.Blocked
	to.OwnFull += more.OwnFull
	addCounts(to.Refused, more.Refused)
	addCounts(to.Reported, more.Reported)
	if more.Sent > 0 {
		to.LastSendNs = more.LastSendNs
	}
}

func addCounts(to, more map[string]int) {
	for name, n := range more {
		to[name] += n
	}
}

// wait waits for the faults under way and tells what went wrong with them.
func (f *faults) wait() error {
	if f == nil {
		return nil
	}
	f.wg.Wait()
	for _, one := range f.due {
		f.errs = append(f.errs, fmt.Errorf("%s was to be %s after %d packets, and only %d were taken", one.On, one.What, one.After, f.count))
	}
	return errors.Join(f.errs...)
}
