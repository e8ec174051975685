// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"time"

	"skleak/harness/meter/series"
	"skleak/record"
)

const (
	// settleTick is how often the charge is read at the beginning of settling.
	settleTick = 5 * time.Millisecond
	// patienceTick is how often the charge is read while time alone works, and five
	// times as long while nothing moves, or a hundredth of the time waited: the error
	// of a self release.
	patienceTick = 4 * time.Millisecond
	// patiencePoints bounds Patience.Points.
	patiencePoints = 256
)

// settle waits until nothing is charged or the window is over.
func settle(ctx context.Context, s *sending, window time.Duration) (record.Reading, error) {
	return s.gauge.watch(ctx, settleTick, window, func(r record.Reading) bool {
		s.observe(r)
		return free(r)
	})
}

// patience leaves everything alone and looks whether the charge goes.
func patience(ctx context.Context, s *sending, d time.Duration, lastSendNs int64) (*record.Patience, error) {
	points := series.New(patiencePoints)
	g, began := s.gauge, time.Now()
	first, err := g.read()
	if err != nil {
		return nil, err
	}
	p := &record.Patience{Before: first.Bytes, ReleasedNs: -1}
	last, err := g.watch(ctx, patienceTick, d, func(r record.Reading) bool {
		points.Add(record.Point{AtNs: r.AtNs, Bytes: r.Bytes})
		s.observe(r)
		return free(r) || time.Since(began) > d
	})
	if err != nil {
		return nil, err
	}
	p.ForNs, p.After, p.Points = time.Since(began).Nanoseconds(), last.Bytes, points.Points()
	if free(last) {
		p.ReleasedNs = last.AtNs - lastSendNs
	}
	return p, nil
}

// fallRate is how fast the charge fell in p, in bytes per nanosecond, when it
// did not go at once.
func fallRate(p *record.Patience) float64 {
	if p == nil || p.ForNs <= 0 || p.ReleasedNs >= 0 {
		return 0
	}
	return max(float64(p.Before-p.After)/float64(p.ForNs), 0)
}

// Of a charge that outlived the ladder though time alone had let go of the first
// filling, it is waited as long again, this much longer, and longer by restMore.
const (
	restTimes = 1.5
	restMore  = time.Second
)

// rest waits until what outlived the ladder is gone, or has outlasted what time
// alone needed before.
func rest(ctx context.Context, g gauge, lasts time.Duration) (*record.Patience, error) {
	began := time.Now()
	first, err := g.read()
	if err != nil {
		return nil, err
	}
	last, err := g.watch(ctx, patienceTick, time.Duration(restTimes*float64(lasts))+restMore, free)
	if err != nil {
		return nil, err
	}
	p := &record.Patience{ForNs: time.Since(began).Nanoseconds(), Before: first.Bytes, After: last.Bytes, ReleasedNs: -1}
	if free(last) {
		p.ReleasedNs = p.ForNs
	}
	return p, nil
}
