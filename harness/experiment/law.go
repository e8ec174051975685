// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"skleak/harness/verdict"
	"skleak/record"
)

const (
	// lawUnder and lawOver are how far from the predicted rate the paced runs are.
	lawUnder = 0.8
	lawOver  = 1.25
	// lawSlack is by how much a run is longer than the law says it must be.
	lawSlack = 1.5
	// MaxLawRun bounds one paced run of a law.
	MaxLawRun = 40 * time.Second
	// maxLawPackets bounds the packets of a run as fast as can be.
	maxLawPackets = 20_000
)

// verifyLaw tries out what the law foretells, each time in links built anew: a
// paced run under and one over the rate at which the socket falls silent, or
// where it knows no such rate, one as fast as can be.
func (x *Experiment) verifyLaw(ctx context.Context) error {
	law := verdict.Judge(x.trace).Foretold
	if law == nil {
		return nil
	}
	check := &record.LawCheck{PredictedPPS: law.Rate(), NeverSilent: law.NeverSilent()}
	x.trace.LawCheck = check
	if law.Kind == verdict.LawUnknown || law.Kind == verdict.LawUntried {
		check.NotTried = "there is no law to try"
		return nil
	}
	if check.PredictedPPS == 0 {
		return x.verifyAtSpeed(ctx, check, *law)
	}
	under, over := lawTimes(*law)
	if need := max(under, over); need > MaxLawRun {
		check.NotTried = fmt.Sprintf("it would take runs of %s, more than %s", need.Round(time.Second), MaxLawRun)
		return nil
	}
	var err error
	if check.Under, err = x.lawRun(ctx, check.PredictedPPS*lawUnder, under, 0); err != nil {
		return err
	}
	check.Over, err = x.lawRun(ctx, check.PredictedPPS*lawOver, over, 0)
	return err
}

// lawTimes is how long packets must be sent under the rate for what is held to
// level off, and over it for the socket to fall silent.
func lawTimes(l verdict.Law) (under, over time.Duration) {
	a, b := l.HoldSeconds, l.HoldSeconds
	if l.Kind == verdict.LawDrain {
		b = l.Stall / ((lawOver - 1) * l.DrainPPS)
		a = b / 2
	}
	return lawTime(a), lawTime(b)
}

func lawTime(seconds float64) time.Duration {
	return time.Duration(min(lawSlack*seconds+1, 1e6) * float64(time.Second))
}

// verifyAtSpeed tries a law that knows no rate: it says that the socket falls
// silent after so many packets, or never.
func (x *Experiment) verifyAtSpeed(ctx context.Context, check *record.LawCheck, l verdict.Law) (err error) {
	packets := lawSlack * (l.Passed + l.Stall/max(l.Share, 1e-9))
	if packets > maxLawPackets {
		check.NotTried = fmt.Sprintf("it would take %.0f packets, more than %d", packets, maxLawPackets)
		return nil
	}
	check.Over, err = x.lawRun(ctx, 0, MaxLawRun, int(math.Ceil(packets)))
	return err
}

// lawRun is one run in links of its own: paced for a time, or of so many packets
// as fast as can be.
func (x *Experiment) lawRun(ctx context.Context, pps float64, d time.Duration, packets int) (run *record.LawRun, err error) {
	if err := x.build(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.world.Close()) }()
	stream, err := x.openStream()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	watch := &peakWatch{gauge: gauge{began: x.began}}
	for _, sender := range stream.Senders() {
		watch.gauge.fds = append(watch.gauge.fds, sender.FD())
	}
	plan := x.plan()
	plan.Rate, plan.Burst, plan.Count, plan.Duration = pps, 0, packets, d
	if pps > 0 {
		plan.Count = max(int(math.Ceil(pps*d.Seconds())), 1)
	}
	began := time.Now()
	stats, err := stream.Run(ctx, plan, watch)
	if err == nil {
		// The last packets of a run over the rate are those that silence.
		watch.Sent(0)
		err = watch.err
	}
	if err != nil {
		return nil, err
	}
	return &record.LawRun{
		PPS: pps, Sent: stats.Sent, Peak: watch.peak, Stalled: watch.silent, Seconds: time.Since(began).Seconds(),
	}, nil
}

// peakWatch keeps the highest charge seen after a send.
type peakWatch struct {
	gauge  gauge
	peak   int64
	silent bool
	err    error
}

// Sent implements traffic.Observer.
func (p *peakWatch) Sent(int) {
	r, err := p.gauge.read()
	if err != nil {
		p.err = errors.Join(p.err, err)
		return
	}
	p.peak = max(p.peak, r.Bytes)
	p.silent = p.silent || !r.Writable
}

// Blocked implements traffic.Observer.
func (p *peakWatch) Blocked() { p.silent = true }

// Waiting implements traffic.Observer.
func (p *peakWatch) Waiting() {}

// Charged implements traffic.Observer.
func (p *peakWatch) Charged(int, uint32) {}
