// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"time"

	"skleak/harness/meter"
	"skleak/harness/traffic"
	"skleak/harness/verdict"
	"skleak/record"
	"skleak/scenarios"
)

// countSkbs counts live skbs where that means something.
func (x *Experiment) countSkbs() *record.SkbCount {
	if !x.place.Quiet || x.place.Count == CountNot {
		return nil
	}
	n, by, err := meter.CountSkbs()
	if err != nil {
		return nil
	}
	return &record.SkbCount{By: by, Before: n}
}

// A count that is higher by orphansAgain skbs is read again for a while, since
// frees may wait for a grace period or a work queue; for longer where the number
// alone would prove a loss.
const (
	orphansAgain = verdict.OrphanStep
	orphansMost  = 400 * time.Millisecond
	orphansLong  = 5 * time.Second
	orphansLook  = 20 * time.Millisecond
)

// countOrphans counts what is there still when links and sockets are gone, and
// where that is more than before, whether each burst adds to it.
func (x *Experiment) countOrphans(ctx context.Context, c *record.SkbCount) error {
	if c == nil {
		return nil
	}
	c.Sent = x.trace.Sent
	kept := x.leftCharged() || x.trace.SocketsBefore >= 0 && x.trace.SocketsAfter > x.trace.SocketsBefore
	var err error
	if c.After, err = x.settledCount(ctx, c.Before, kept); err != nil {
		return ctx.Err()
	}
	x.trace.Orphans = c
	// What stays charged was lost with its charge; another burst would only lose more.
	if kept || hasCard(x.sc) {
		return nil
	}
	return x.countAgain(ctx, c)
}

// settledCount is the count once it is back to before, or stands still above it.
func (x *Experiment) settledCount(ctx context.Context, before int64, once bool) (n int64, err error) {
	for began := time.Now(); ; {
		n, _, err = meter.CountSkbs()
		most := orphansMost
		if n-before >= verdict.OrphanLeast {
			most = orphansLong
		}
		if err != nil || once || n-before < orphansAgain || time.Since(began) > most {
			return n, err
		}
		meter.GracePeriod()
		if err := sleep(ctx, orphansLook); err != nil {
			return n, err
		}
	}
}

// Bounds of a burst that is made to count skbs: enough packets for one lost in a
// hundred to show, and no more than tell one in a thousand.
const (
	burstLeast = scenarios.DefaultCount
	burstMost  = 10 * scenarios.DefaultCount
	// burstBlock is how long a socket may stay full before what holds is left alone.
	burstBlock = 20 * time.Millisecond
)

// countAgain sends more bursts while each leaves more skbs behind and it is not
// plain yet that they are lost. Trouble with one is none of the experiment's.
func (x *Experiment) countAgain(ctx context.Context, c *record.SkbCount) error {
	for verdict.OrphansUnsettled(*c) {
		before := c.After
		if n := len(c.Again); n > 0 {
			before = c.Again[n-1].After
		}
		sent, err := x.burst(ctx)
		if err != nil {
			x.emit(record.Event{Kind: record.EventNote, Text: "skbs were not counted again: " + err.Error()})
			return ctx.Err()
		}
		after, err := x.settledCount(ctx, before, false)
		if err != nil {
			return ctx.Err()
		}
		c.Again = append(c.Again, record.SkbBurst{Sent: sent, After: after})
	}
	return nil
}

// countBurst only counts the skbs that a burst leaves behind.
func (x *Experiment) countBurst(ctx context.Context) (record.Trace, error) {
	c := x.countSkbs()
	x.phase(record.PhaseBuild)
	var err error
	if x.trace.Sent, err = x.burst(ctx); err != nil {
		return record.Trace{}, err
	}
	if err := x.countOrphans(ctx, c); err != nil {
		return record.Trace{}, err
	}
	return x.trace, nil
}

// burst builds the links anew, sends through them as fast as can be, and takes
// all away again.
func (x *Experiment) burst(ctx context.Context) (sent int, err error) {
	modules := x.trace.Modules
	if err := x.build(ctx); err != nil {
		return 0, err
	}
	x.trace.Modules = append(modules, x.trace.Modules...)
	defer func() { err = errors.Join(err, x.world.Close()) }()
	cfg, err := x.config()
	if err != nil {
		return 0, err
	}
	stream, err := traffic.OpenStream(cfg, x.sc.Traffic.PerLink)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	plan := x.plan()
	plan.Rate, plan.Burst, plan.Duration, plan.BlockLimit = 0, 0, 0, burstBlock
	plan.Count = min(max(plan.Count, burstLeast), burstMost)
	stats, err := stream.Run(ctx, plan, nil)
	return stats.Sent, err
}
