package harness

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
	// times as long while nothing moves, or a fortieth of the time waited: the error
	// of a self release.
	patienceTick = 4 * time.Millisecond
	// patiencePoints bounds Patience.Points.
	patiencePoints = 256
)

// settle waits until nothing is charged or the window is over.
func settle(ctx context.Context, g gauge, window time.Duration) (record.Reading, error) {
	return g.watch(ctx, settleTick, window, free)
}

// patience leaves everything alone and looks whether the charge goes.
func patience(ctx context.Context, g gauge, d time.Duration, lastSendNs int64) (*record.Patience, error) {
	points := series.New(patiencePoints)
	began := time.Now()
	first, err := g.read()
	if err != nil {
		return nil, err
	}
	p := &record.Patience{Before: first.Bytes, ReleasedNs: -1}
	last, err := g.watch(ctx, patienceTick, d, func(r record.Reading) bool {
		points.Add(record.Point{AtNs: r.AtNs, Bytes: r.Bytes})
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
