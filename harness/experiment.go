package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skleak/harness/meter"
	"skleak/harness/traffic"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// experiment is one scenario under way in the sandbox.
type experiment struct {
	sc    scenarios.Scenario
	o     Options
	began time.Time
	emit  func(record.Event)
	// calibrated is what this process has measured before.
	calibrated calibrations

	world *netns.World
	trace record.Trace
	stats traffic.Stats
	log   *meter.KernelLog
	books *books
}

// run builds the scenario, sends through it, climbs the ladder and returns all
// that was measured. It undoes what it built, on errors and cancellation too.
func (x *experiment) run(ctx context.Context) (t record.Trace, err error) {
	o := x.o
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
	if err = errors.Join(err, x.books.end()); err != nil {
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
	x.trace.Seconds = time.Since(x.began).Seconds()
	return x.trace, nil
}

func newTrace(sc scenarios.Scenario, o Options) record.Trace {
	rate := "max"
	if sc.Traffic.Rate > 0 {
		rate = fmt.Sprintf("%g/s", sc.Traffic.Rate)
	}
	return record.Trace{
		Schema: record.TraceSchema, Scenario: sc.Name, Kernel: Kernel(),
		Planned: sc.Traffic.Count, Packet: sc.Traffic.Packet, Socket: sc.Traffic.Socket, Rate: rate,
		Refused: map[string]int{}, Rungs: []record.RungTrace{}, Quiet: o.Quiet,
		SocketsBefore: -1, SocketsAfter: -1,
	}
}

func (x *experiment) build(ctx context.Context) error {
	world, err := netns.Build(ctx, x.sc, netns.Options{RefuseModules: x.o.RefuseModules, Cards: x.o.Cards})
	if err != nil {
		return err
	}
	x.world, x.trace.Modules = world, world.Modules()
	return nil
}

// measure is the experiment proper, between building and undoing.
func (x *experiment) measure(ctx context.Context) error {
	x.phase(record.PhaseCalibrate)
	if err := x.calibrate(ctx); err != nil {
		return err
	}
	var err error
	if x.books, err = x.openBooks(); err != nil {
		return err
	}
	s, err := x.openSending()
	if err != nil {
		return err
	}
	if err = x.books.own(s); err == nil {
		err = x.fillAndRelease(ctx, s)
	}
	x.trace.Waiter = s.story()
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	if err := x.countClosed(ctx); err != nil {
		return err
	}
	return x.keepState(stateEnd)
}

// fillAndRelease sends, waits, and climbs the ladder.
func (x *experiment) fillAndRelease(ctx context.Context, s *sending) error {
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
	if err := x.books.account(s); err != nil {
		return err
	}
	if free(x.trace.Settle) {
		return errors.Join(s.checkAsleep(x.trace.Truesize), x.probeAtRest(ctx, s))
	}
	if err := errors.Join(s.park(), x.keepState(stateHeld)); err != nil {
		return err
	}
	return x.release(ctx, s)
}

// release finds what lets go: time alone first, then the ladder.
func (x *experiment) release(ctx context.Context, s *sending) error {
	x.phase(record.PhasePatience)
	var err error
	if x.trace.Patience, err = patience(ctx, s.gauge, x.patience(), x.trace.LastSendNs); err != nil {
		return err
	}
	if err := s.checkAsleep(x.trace.Truesize); err != nil {
		return err
	}
	x.books.witness(record.PhasePatience, "")
	climb := &ladder{
		gauge: s.gauge, rate: fallRate(x.trace.Patience), filled: time.Now(), books: x.books,
		asleep: func() bool { return s.checkAsleep(x.trace.Truesize) == nil && s.asleep() },
	}
	if released := x.trace.Patience.ReleasedNs; released >= 0 {
		x.phase(record.PhaseRefill)
		x.books.emptied()
		climb.selfRelease = time.Duration(released)
		climb.refill = func(ctx context.Context) error {
			climb.filled = time.Now()
			return x.refill(ctx, s)
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
	x.trace.Rungs, err = climb.climb(ctx, steps)
	return err
}

// refill sends as much as is needed to hold again, as fast as can be.
func (x *experiment) refill(ctx context.Context, s *sending) error {
	plan := x.plan()
	plan.Rate, plan.Burst, plan.Duration = 0, 0, 0
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

func (x *experiment) patience() time.Duration {
	if x.sc.Patience != nil {
		return *x.sc.Patience
	}
	return x.o.Patience
}

func (x *experiment) phase(name string) {
	x.emit(record.Event{Kind: record.EventPhase, Text: name})
}
