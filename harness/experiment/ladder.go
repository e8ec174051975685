// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"time"

	"skleak/netns"
	"skleak/record"
)

const (
	// rungLook is how often the charge is read after a rung.
	rungLook = 2 * time.Millisecond
	// rungLooks is the least number of looks at which nothing may have moved.
	rungLooks = 10
	// rungWait is how long nothing may move before the next rung.
	rungWait = 150 * time.Millisecond
	// listenerWait is the same after the end of an NFQUEUE listener, whose
	// packets the kernel drops from a work queue up to 400 ms later.
	listenerWait = 600 * time.Millisecond
	// rungMost bounds a rung whose release goes on and on (a slow drain).
	rungMost = 3 * time.Second
	// mostRefills bounds how often the ladder fills up again because time
	// alone would have let go before the next rung.
	mostRefills = 6
)

// ladder climbs the rungs of the built world.
type ladder struct {
	gauge gauge
	// selfRelease is how long after the last send time alone lets go; 0 if never.
	selfRelease time.Duration
	// rate is how fast the charge fell by itself, in bytes per nanosecond.
	rate float64
	// refill fills up again; nil where time alone does not let go.
	refill func(context.Context) error
	// waiter tells whether somebody parked before a rung still sleeps after it.
	asleep func() bool

	filled    time.Time
	refills   int
	ledgerRun *ledgerRun
}

// climb undoes one thing at a time until nothing is charged.
func (l *ladder) climb(ctx context.Context, steps []netns.Step) ([]record.RungTrace, error) {
	rungs := []record.RungTrace{}
	for _, step := range steps {
		if err := l.keepFull(ctx); err != nil {
			return rungs, err
		}
		rung, err := l.rung(ctx, step)
		if err != nil {
			return rungs, err
		}
		rungs = append(rungs, rung)
		r, err := l.gauge.read()
		if err != nil {
			return rungs, err
		}
		if free(r) {
			break
		}
	}
	return rungs, nil
}

// keepFull fills up again when time alone might let go during the next rung.
func (l *ladder) keepFull(ctx context.Context) error {
	if l.refill == nil || l.selfRelease == 0 || l.refills >= mostRefills {
		return nil
	}
	if time.Since(l.filled) < l.selfRelease/2 {
		return nil
	}
	l.refills++
	return l.refill(ctx)
}

func (l *ladder) rung(ctx context.Context, step netns.Step) (record.RungTrace, error) {
	before, err := l.gauge.read()
	if err != nil {
		return record.RungTrace{}, err
	}
	l.ledgerRun.skip()
	began := time.Now()
	rung := record.RungTrace{
		Rung: step.Rung, On: step.On, Holder: step.Holder,
		Before: before.Bytes, Backlog: step.Backlog,
	}
	if err := step.Do(ctx); err != nil {
		rung.Error = err.Error()
	}
	after, err := l.await(ctx, before, step.Rung)
	if err != nil {
		return rung, err
	}
	took := time.Since(began)
	rung.After, rung.Writable, rung.Ns = after.Bytes, after.Writable, took.Nanoseconds()
	rung.Drift = l.drift(before.Bytes, began, took)
	rung.WaiterAsleep = l.asleep()
	l.ledgerRun.witness(string(step.Rung), step.On)
	return rung, nil
}

// await reads until nothing is charged, or nothing has moved for a while.
func (l *ladder) await(ctx context.Context, before record.Reading, kind record.RungKind) (record.Reading, error) {
	still := rungWait
	if kind == record.RungListener {
		still = listenerWait
	}
	last, moved := before.Bytes, time.Now()
	looks := 0
	return l.gauge.watch(ctx, rungLook, rungMost, func(r record.Reading) bool {
		looks++
		if r.Bytes != last {
			last, moved, looks = r.Bytes, time.Now(), 0
		}
		return free(r) || looks > rungLooks && time.Since(moved) > still
	})
}

// drift is what time alone would have taken in a rung that began then.
func (l *ladder) drift(held int64, began time.Time, took time.Duration) int64 {
	// Close to the moment time alone lets go, no rung may claim anything.
	if l.selfRelease > 0 && began.Add(took).Sub(l.filled) > l.selfRelease*9/10 {
		return held
	}
	return min(int64(l.rate*float64(took.Nanoseconds())), held)
}
