package harness

import (
	"context"
	"errors"
	"math"
	"time"

	"skleak/harness/traffic"
	"skleak/harness/verdict"
	"skleak/record"
)

const (
	// lawUnder and lawOver are how far from the predicted rate the paced runs are.
	lawUnder = 0.8
	lawOver  = 1.25
	// maxLawRun bounds one paced run.
	maxLawRun = 40 * time.Second
)

// verifyLaw builds the scenario anew for a paced run under and one over the
// rate at which the law says the socket falls silent. Where no rate was
// predicted, or it is too slow to try, there is nothing to verify.
func (x *experiment) verifyLaw(ctx context.Context) error {
	finding := verdict.Judge(x.trace)
	if finding.StallRatePPS == nil || *finding.StallRatePPS <= 0 {
		return nil
	}
	rate := *finding.StallRatePPS
	hold := maxLawRun
	if finding.SelfReleaseMs != nil {
		hold = time.Duration(*finding.SelfReleaseMs) * time.Millisecond
	}
	// Long enough for the packets of a hold time to gather at either rate.
	need := time.Duration(2.5 * float64(hold))
	if need > maxLawRun {
		return nil
	}
	check := &record.LawCheck{PredictedPPS: rate}
	var err error
	if check.Under, err = x.lawRun(ctx, rate*lawUnder, need); err != nil {
		return err
	}
	if check.Over, err = x.lawRun(ctx, rate*lawOver, need); err != nil {
		return err
	}
	x.trace.LawCheck = check
	return nil
}

// lawRun is one paced run in links of its own.
func (x *experiment) lawRun(ctx context.Context, pps float64, d time.Duration) (run record.LawRun, err error) {
	if err := x.build(ctx); err != nil {
		return record.LawRun{}, err
	}
	defer func() { err = errors.Join(err, x.world.Close()) }()
	cfg, err := x.config()
	if err != nil {
		return record.LawRun{}, err
	}
	stream, err := traffic.OpenStream(cfg, x.sc.Traffic.PerLink)
	if err != nil {
		return record.LawRun{}, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	watch := &peakWatch{gauge: gauge{began: x.began}}
	for _, sender := range stream.Senders() {
		watch.gauge.fds = append(watch.gauge.fds, sender.FD())
	}
	plan := x.plan()
	plan.Rate, plan.Burst, plan.Count, plan.Duration = pps, 0, int(math.Ceil(pps*d.Seconds())), 0
	began := time.Now()
	stats, err := stream.Run(ctx, plan, watch)
	if err != nil {
		return record.LawRun{}, err
	}
	return record.LawRun{
		PPS: pps, Sent: stats.Sent, Peak: watch.peak,
		Stalled: watch.silent || stats.Blocked > 0, Seconds: time.Since(began).Seconds(),
	}, nil
}

// peakWatch keeps the highest charge seen after a send.
type peakWatch struct {
	gauge  gauge
	peak   int64
	silent bool
}

// Sent implements traffic.Observer.
func (p *peakWatch) Sent(int) {
	if r, err := p.gauge.read(); err == nil {
		p.peak = max(p.peak, r.Bytes)
		p.silent = p.silent || !r.Writable
	}
}

// Blocked implements traffic.Observer.
func (p *peakWatch) Blocked() { p.Sent(0) }
