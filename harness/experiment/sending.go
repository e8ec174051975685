// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"skleak/harness/meter"
	"skleak/harness/traffic"
	"skleak/record"
	"skleak/scenarios"
)

// progressEvery is the least time between two live readings.
const progressEvery = 100 * time.Millisecond

// sending is the sockets of one experiment with all that watches them.
type sending struct {
	stream  *traffic.Stream
	gauge   gauge
	sampler *meter.Sampler
	// alone: with one processor the sender itself looks at the charge.
	alone   bool
	waiters []*meter.Waiter

	emit     func(record.Event)
	began    time.Time
	opened   time.Time
	progress time.Time
	full     bool
	faults   *faults
	err      error
}

// openSending opens the sockets that the scenario asks for.
func (x *Experiment) openSending() (*sending, error) {
	stream, err := x.openStream()
	if err != nil {
		return nil, err
	}
	s := &sending{stream: stream, emit: x.emit, began: x.began, gauge: gauge{began: x.began}, alone: runtime.NumCPU() == 1}
	var watched []meter.Socket
	for _, sender := range stream.Senders() {
		s.gauge.fds = append(s.gauge.fds, sender.FD())
		w, err := meter.NewWaiter(sender.FD())
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.waiters = append(s.waiters, w)
		sndbuf, err := sender.SndBuf()
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		x.trace.Sockets = append(x.trace.Sockets, record.SocketTrace{
			Name: sender.Name(), SndBuf: int64(sndbuf), SndBufAsked: int64(x.sc.Traffic.SndBuf), PacketsToStall: -1,
		})
		watched = append(watched, meter.Socket{
			FD: sender.FD(), Sent: sender.Offered, Course: meter.NewCourse(x.o.Settle, x.trace.Truesize, int64(sndbuf)),
		})
	}
	s.sampler = meter.NewSampler(watched, x.began)
	s.opened = time.Now()
	return s, nil
}

// openStream opens the sockets alone, with nothing that watches them.
func (x *Experiment) openStream() (*traffic.Stream, error) {
	cfg, err := x.config()
	if err != nil {
		return nil, err
	}
	return traffic.OpenStream(cfg, x.sc.Traffic.PerLink)
}

// config is the sending side of the scenario with its links as they are now.
func (x *Experiment) config() (traffic.Config, error) {
	t := x.sc.Traffic
	spec, err := traffic.Lookup(t.Packet)
	if err != nil {
		return traffic.Config{}, err
	}
	cfg := traffic.Config{
		Socket: t.Socket, Spec: spec, Size: t.Size, Payload: t.Payload,
		Interface: t.Interface, SndBuf: t.SndBuf,
	}
	if len(t.Via) > 1 && !t.PerLink {
		cfg.Name = "all links"
	}
	if t.To != "" {
		if cfg.Destination, err = netip.ParseAddr(t.To); err != nil {
			return traffic.Config{}, fmt.Errorf("traffic.to: %w", err)
		}
	}
	for _, via := range t.Via {
		target, err := traffic.FindTarget(via, netip.Addr{})
		if err != nil {
			return traffic.Config{}, err
		}
		cfg.Targets = append(cfg.Targets, target)
	}
	return cfg, nil
}

// plan is the scenario's traffic as a sender takes it.
func (x *Experiment) plan() traffic.Plan {
	t := x.sc.Traffic
	return traffic.Plan{
		Rate: t.Rate, Burst: t.Burst, Count: t.Count, Duration: t.Duration,
		Style: t.Style, Backoff: true, Epoch: x.began,
	}
}

// fill sends what the scenario says, watched by sampler and waiters.
func (x *Experiment) fill(ctx context.Context, s *sending) error {
	x.phase(record.PhaseTraffic)
	s.faults = x.newFaults(ctx)
	stop := s.sample()
	stats, err := s.stream.Run(ctx, x.plan(), s)
	if err == nil {
		err = x.sendOn(ctx, s, &stats)
	}
	if err := errors.Join(err, stop(), s.err, s.faults.wait()); err != nil {
		return err
	}
	x.keepStats(stats)
	return nil
}

// keepStats keeps what the sender did so far.
func (x *Experiment) keepStats(stats traffic.Stats) {
	x.stats = stats
	x.trace.Sent, x.trace.Refused, x.trace.Blocked = stats.Sent, stats.Refused, stats.Blocked
	x.trace.Reported, x.trace.OwnFull = stats.Reported, stats.OwnFull
	x.trace.FirstSendNs, x.trace.LastSendNs = stats.FirstSendNs, stats.LastSendNs
	for i, one := range stats.Sockets {
		sock := &x.trace.Sockets[i]
		sock.Sent, sock.PacketsToStall, sock.StalledOn = one.Sent, one.PacketsToStall, one.StalledOn
		sock.Packets, sock.Forms = one.Kept, one.Forms
		sock.Links = nil
		for _, l := range one.Links {
			sock.Links = append(sock.Links, record.LinkTrace(l))
		}
	}
}

// probeAtRest sends one more packet where sends were refused: an overload has
// passed by now, a link that refuses has not.
func (x *Experiment) probeAtRest(ctx context.Context, s *sending) error {
	if len(x.trace.Refused) == 0 {
		return nil
	}
	stats, err := s.stream.Run(ctx, traffic.Plan{Count: len(s.stream.Senders()), Style: scenarios.StyleSendFirst}, nil)
	if err != nil {
		return err
	}
	for name := range stats.Refused {
		x.trace.RestProbe = name
	}
	return nil
}

// sample watches the charge until stop is called.
func (s *sending) sample() (stop func() error) {
	if s.alone {
		return func() error { return nil }
	}
	s.sampler.Start()
	return s.sampler.Stop
}

// look samples where the sender does that itself.
func (s *sending) look() {
	if s.alone {
		s.err = errors.Join(s.err, s.sampler.Look())
	}
}

// Sent implements traffic.Observer.
func (s *sending) Sent(n int) {
	s.look()
	s.faults.sent(n)
	if time.Since(s.progress) < progressEvery {
		return
	}
	s.progress = time.Now()
	if r, err := s.gauge.read(); err == nil {
		s.emit(record.Event{Kind: record.EventSample, Sample: &record.Point{AtNs: r.AtNs, Bytes: r.Bytes}})
	}
}

// Waiting implements traffic.Observer.
func (s *sending) Waiting() { s.look() }

// Charged implements traffic.Observer.
func (s *sending) Charged(i int, bytes uint32) { s.sampler.Saw(i, bytes) }

// observe adds a reading made when the sampler no longer looks.
func (s *sending) observe(r record.Reading) {
	s.sampler.Observe(time.Duration(r.AtNs), r.PerSocket)
}

// Blocked implements traffic.Observer: whoever waits now must be woken later.
func (s *sending) Blocked() {
	if !s.full {
		s.full = true
		s.emit(record.Event{Kind: record.EventPhase, Text: record.PhaseFull})
	}
	s.look()
	s.err = errors.Join(s.err, s.park())
}

// park puts a waiter to sleep on each socket that is not writable.
func (s *sending) park() error {
	var errs []error
	for _, w := range s.waiters {
		errs = append(errs, w.Park())
	}
	return errors.Join(errs...)
}

// checkAsleep looks for a waiter that sleeps on though its socket is writable.
func (s *sending) checkAsleep(truesize int64) error {
	var errs []error
	for i, w := range s.waiters {
		_, err := w.CheckAsleep(truesize, func() (uint32, error) { return meter.Charge(s.gauge.fds[i]) })
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// asleep reports whether any waiter was found so.
func (s *sending) asleep() bool { return s.story().AsleepNs > 0 }

// story sums up the waiters; the longest sleep counts.
func (s *sending) story() record.Waiter {
	var sum record.Waiter
	for _, w := range s.waiters {
		one := w.Story()
		sum.Parked += one.Parked
		sum.Woken += one.Woken
		sum.Unclear += one.Unclear
		if one.AsleepNs > sum.AsleepNs {
			sum.AsleepNs, sum.AsleepBytes = one.AsleepNs, one.AsleepBytes
		}
	}
	return sum
}

// close ends the waiters and closes the sockets.
func (s *sending) close() error {
	var errs []error
	for _, w := range s.waiters {
		errs = append(errs, w.Close())
	}
	return errors.Join(append(errs, s.stream.Close())...)
}
