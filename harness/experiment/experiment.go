// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"skleak/harness/meter"
	"skleak/harness/traffic"
	"skleak/harness/verdict"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// Experiment is one scenario under way in the sandbox.
type Experiment struct {
	sc    scenarios.Scenario
	o     Options
	place Place
	began time.Time
	emit  func(record.Event)
	// calibrated is what this process has measured before.
	calibrated Calibrations

	world *netns.World
	// picture is World.State, or that of what was there before.
	picture   func(when string) (record.State, error)
	trace     record.Trace
	stats     traffic.Stats
	log       *meter.KernelLog
	ledgerRun *ledgerRun
}

// Run builds the scenario, sends through it, climbs the ladder and returns all
// that was measured. It undoes what it built, on errors and cancellation too.
func (x *Experiment) Run(ctx context.Context) (t record.Trace, err error) {
	o := x.o
	if x.place.Count == CountBurst {
		return x.countBurst(ctx)
	}
	if x.log, err = meter.OpenKernelLog(); err == nil {
		defer func() { err = errors.Join(err, x.log.Close()) }()
	}
	// The count must stand before anything that could lose an skb exists.
	skbs := x.countSkbs()
	x.phase(record.PhaseBuild)
	if err := x.build(ctx); err != nil {
		return record.Trace{}, err
	}
	if !o.BuildOnly {
		err = x.measure(ctx)
	}
	x.phase(record.PhaseClose)
	err = errors.Join(err, x.world.Close())
	x.ledgerRun.end()
	if err != nil {
		return record.Trace{}, err
	}
	if err := x.countOrphans(ctx, skbs); err != nil {
		return record.Trace{}, err
	}
	if o.VerifyLaw {
		x.phase(record.PhaseLaw)
		if err := x.verifyLaw(ctx); err != nil {
			return record.Trace{}, err
		}
	}
	x.readLog()
	if x.waits() || len(x.trace.Refused) > 0 {
		x.trace.Facts = facts(x.sc, x.trace.Kernel)
	}
	x.trace.Seconds = time.Since(x.began).Seconds()
	return x.trace, nil
}

func newTrace(req Request, kernel record.Kernel) record.Trace {
	sc := req.Scenario
	rate := "max"
	if sc.Traffic.Rate > 0 {
		rate = fmt.Sprintf("%g/s", sc.Traffic.Rate)
	}
	message, every := "", time.Duration(0)
	if spec, err := traffic.Lookup(sc.Traffic.Packet); err == nil {
		message, every = spec.Message, spec.Every
	}
	return record.Trace{
		Schema: record.TraceSchema, Scenario: sc.Name, Kernel: kernel,
		Planned: sc.Traffic.Count, Packet: sc.Traffic.Packet, Message: message, EveryNs: every.Nanoseconds(), Socket: sc.Traffic.Socket, Rate: rate,
		Asked: asked(sc.Traffic), WindowNs: req.Options.Settle.Nanoseconds(),
		Refused: map[string]int{}, Rungs: []record.RungTrace{}, Quiet: req.Place.Quiet,
		SocketsBefore: -1, SocketsAfter: -1,
	}
}

func (x *Experiment) build(ctx context.Context) error {
	world, err := netns.Build(ctx, x.sc, netns.Options{RefuseModules: x.o.RefuseModules, Cards: x.place.Cards})
	if err != nil {
		return err
	}
	x.world, x.picture, x.trace.Modules = world, world.State, world.Modules()
	return nil
}

// measure is the experiment proper, between building and undoing.
func (x *Experiment) measure(ctx context.Context) error {
	x.phase(record.PhaseCalibrate)
	if err := x.calibrate(ctx); err != nil {
		return err
	}
	x.ledgerRun = x.openLedgerRun()
	s, err := x.openSending()
	if err != nil {
		return err
	}
	x.ledgerRun.own(s)
	err = x.fillAndRelease(ctx, s)
	x.ledgerRun.after(s)
	x.trace.Waiter = s.story()
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	if x.place.Count == CountHeld && x.waits() {
		return nil
	}
	if err := x.countClosed(ctx); err != nil {
		return err
	}
	return x.keepState(stateEnd)
}

// fillAndRelease sends, waits, and climbs the ladder.
func (x *Experiment) fillAndRelease(ctx context.Context, s *sending) error {
	if err := errors.Join(x.keepState(stateBefore), x.fill(ctx, s)); err != nil {
		return err
	}
	x.phase(record.PhaseSettle)
	if err := x.settleAndResume(ctx, s); err != nil {
		return err
	}
	x.keepSockets(s)
	if err := x.countSockets(ctx, s); err != nil {
		return err
	}
	x.ledgerRun.account(s)
	if !x.waits() {
		return errors.Join(x.world.Undisturbed(), s.checkAsleep(x.trace.Truesize), x.probeAtRest(ctx, s))
	}
	if err := errors.Join(s.park(), x.keepState(stateHeld)); err != nil {
		return err
	}
	return x.release(ctx, s)
}

// waits reports that something is held, or was: what lets go is to be found.
func (x *Experiment) waits() bool { return !free(x.trace.Settle) || x.hasHeld() }

// hasHeld reports that something was charged for longer than the settling window
// while packets were being sent, though nothing is now.
func (x *Experiment) hasHeld() bool {
	return slices.ContainsFunc(x.trace.Sockets, func(s record.SocketTrace) bool { return s.Course.HeldBytes > 0 })
}

// release finds what lets go: time alone first, then the ladder.
func (x *Experiment) release(ctx context.Context, s *sending) error {
	x.phase(record.PhasePatience)
	if x.place.Count == CountHeld {
		return nil
	}
	var err error
	if x.trace.Patience, err = patience(ctx, s, x.patience(), x.trace.LastSendNs); err != nil {
		return err
	}
	x.keepSockets(s)
	if err := errors.Join(x.world.Undisturbed(), s.checkAsleep(x.trace.Truesize)); err != nil {
		return err
	}
	x.ledgerRun.witness(record.PhasePatience, "")
	climb := &ladder{
		gauge: s.gauge, rate: fallRate(x.trace.Patience), filled: time.Now(), ledgerRun: x.ledgerRun,
		asleep: func() bool { return s.checkAsleep(x.trace.Truesize) == nil && s.asleep() },
	}
	fades := x.trace.Patience.ReleasedNs >= 0
	if fades {
		x.phase(record.PhaseRefill)
		x.ledgerRun.emptied()
		climb.selfRelease = x.lastsFor()
		drains := x.drains()
		climb.refill = func(ctx context.Context) error {
			climb.filled = time.Now()
			err := x.refill(ctx, s)
			if drains {
				// What waits in a line goes so long after the last of it came.
				climb.filled = time.Now()
			}
			return err
		}
		if err := errors.Join(climb.refill(ctx), x.keepState(stateRefilled)); err != nil {
			return err
		}
	}
	x.phase(record.PhaseLadder)
	steps, err := x.world.Steps(ctx)
	if err != nil {
		return err
	}
	if x.trace.Rungs, err = climb.climb(ctx, steps); err != nil || !fades || !x.leftCharged() {
		return err
	}
	x.trace.Rest, err = rest(ctx, s.gauge, x.lastsFor())
	return err
}

// lastsFor is how long a charge was seen to last by itself: that of the oldest
// packet, or of a burst from its last packet to the end.
func (x *Experiment) lastsFor() time.Duration {
	longest := max(x.trace.Patience.ReleasedNs, 0)
	for _, s := range x.trace.Sockets {
		longest = max(longest, s.Course.OldestNs)
	}
	return time.Duration(longest)
}

// drains reports that what was held went packet by packet, at a line's rate.
func (x *Experiment) drains() bool {
	law := verdict.Judge(x.trace).Foretold
	return law != nil && law.Kind == verdict.LawDrain
}

// refillBlock is how long a socket may stay full before a refill has done its
// work.
const refillBlock = 5 * time.Millisecond

// refill sends as much as is needed to hold again, as fast as can be.
func (x *Experiment) refill(ctx context.Context, s *sending) error {
	plan := x.plan()
	plan.Rate, plan.Burst, plan.Duration, plan.BlockLimit = 0, 0, 0, refillBlock
	plan.Count = min(max(x.trace.Sent, 1), scenarios.DefaultCount)
	stats, err := s.stream.Run(ctx, plan, s)
	if err != nil {
		return err
	}
	r, err := s.gauge.read()
	if err != nil {
		return err
	}
	x.trace.Refill = &record.Refill{Sent: stats.Sent, Held: r.Bytes}
	return s.park()
}

func (x *Experiment) patience() time.Duration {
	if x.sc.Patience != nil {
		return *x.sc.Patience
	}
	return x.o.Patience
}

// asked is how many packets rate and duration allow, where both are given.
func asked(t scenarios.Traffic) int {
	n := math.Inf(1)
	if t.Count > 0 {
		n = float64(t.Count)
	}
	if t.Rate > 0 && t.Duration > 0 {
		n = min(n, max(t.Rate*t.Duration.Seconds(), 1))
	} else if t.Duration > 0 {
		return 0
	}
	if math.IsInf(n, 1) {
		return 0
	}
	return int(n)
}

func (x *Experiment) phase(name string) {
	x.emit(record.Event{Kind: record.EventPhase, Text: name})
}
