// SPDX-License-Identifier: GPL-2.0-only

package watch

import "time"

const (
	// maxBuckets bounds what is kept of a course; when it is full, two become one.
	maxBuckets = 240
	// fewest is how many buckets a growth is seen in at least, four in each third.
	fewest = 12
	// heldFor is how long something must be charged to count as held, as for a
	// verdict (docs/verdicts.md), but no less than two looks.
	heldFor = 3 * time.Second
)

// bucket is the least of a few looks in a row.
type bucket struct {
	at    time.Time
	least int64
	looks int
}

// course is how a figure went, in buckets of equally many looks. The least of each
// is kept: what comes and goes is no growth.
type course struct {
	buckets []bucket
	per     int
	last    int64
	step    int64
	looked  int
}

func (c *course) add(at time.Time, v int64) {
	if rise := v - c.last; c.looked > 0 && rise > 0 && (c.step == 0 || rise < c.step) {
		c.step = rise
	}
	c.last = v
	c.looked++
	if c.per == 0 {
		c.per = 1
	}
	if n := len(c.buckets); n > 0 && c.buckets[n-1].looks < c.per {
		b := &c.buckets[n-1]
		b.looks++
		b.least = min(b.least, v)
		return
	}
	if len(c.buckets) == maxBuckets {
		c.halve()
	}
	c.buckets = append(c.buckets, bucket{at, v, 1})
}

func (c *course) halve() {
	for i := range maxBuckets / 2 {
		a, b := c.buckets[2*i], c.buckets[2*i+1]
		c.buckets[i] = bucket{a.at, min(a.least, b.least), a.looks + b.looks}
	}
	c.buckets = c.buckets[:maxBuckets/2]
	c.per *= 2
}

// held is the least of the last few seconds, and whether they were all seen.
func (c *course) held(now time.Time) (int64, bool) {
	least := c.last
	for i := len(c.buckets) - 1; i >= 0; i-- {
		b := c.buckets[i]
		least = min(least, b.least)
		if i < len(c.buckets)-1 && now.Sub(b.at) >= heldFor {
			return least, true
		}
	}
	return 0, false
}

// growth finds the longest time over which the least of each third rose. So a
// charge that comes and goes does not grow, and one that grows by a step now and
// then does as soon as each third has had one.
func (c *course) growth() *Growth {
	for n := len(c.buckets); n >= fewest; n /= 2 {
		if g := rise(c.buckets[len(c.buckets)-n:]); g != nil {
			g.Step = c.step
			return g
		}
	}
	return nil
}

func rise(b []bucket) *Growth {
	third := len(b) / 3
	b = b[len(b)-3*third:]
	first, second, last := leastOf(b[:third]), leastOf(b[third:2*third]), leastOf(b[2*third:])
	if second <= first || last <= second {
		return nil
	}
	over := b[2*third].at.Sub(b[0].at).Seconds()
	if over <= 0 {
		return nil
	}
	return &Growth{BytesPerSecond: float64(last-first) / over, OverSeconds: b[len(b)-1].at.Sub(b[0].at).Seconds()}
}

func leastOf(b []bucket) int64 {
	least := b[0].least
	for _, x := range b {
		least = min(least, x.least)
	}
	return least
}
