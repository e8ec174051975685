// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"cmp"
	"math"
	"slices"

	"skleak/record"
)

// observed is one socket's course in packets and seconds: what a model of the
// holder must give again.
type observed struct {
	points []observation
	// peak is the most packets charged at once.
	peak float64
}

type observation struct {
	// at is seconds since the sandbox began, sent the packets sent by then, charged
	// those still charged.
	at, sent, charged float64
}

// observe reads the course of socket i. Each is what a packet is charged with.
func observe(t record.Trace, i int, each float64) observed {
	var o observed
	if i < 0 || i >= len(t.Sockets) || each <= 0 {
		return o
	}
	all := slices.Concat(t.Sockets[i].Series, t.Sockets[i].After)
	slices.SortStableFunc(all, func(a, b record.Point) int { return cmp.Compare(a.AtNs, b.AtNs) })
	sent := 0
	for _, p := range all {
		// NB: a hand-made trace may count backwards.
		sent = max(sent, p.Sent)
		one := observation{at: seconds(p.AtNs), sent: float64(sent), charged: float64(p.Bytes) / each}
		o.points = append(o.points, one)
		o.peak = max(o.peak, one.charged)
	}
	return o
}

// sentBy is how many whole packets had been sent by a time, evenly between two looks.
// From is where to look first, so that a walk through time is no search each time.
func (o observed) sentBy(at float64, from int) (sent float64, index int) {
	p := o.points
	i := min(max(from, 0), len(p)-1)
	for i > 0 && p[i].at > at {
		i--
	}
	for i+1 < len(p) && p[i+1].at <= at {
		i++
	}
	if at < p[i].at {
		return 0, i
	}
	if i+1 == len(p) {
		return p[i].sent, i
	}
	part := (at - p[i].at) / (p[i+1].at - p[i].at)
	return math.Floor(p[i].sent + part*(p[i+1].sent-p[i].sent)), i
}

// peakAt is the first moment at which all but a tenth of the peak was charged.
func (o observed) peakAt() (at observation, ok bool) {
	for _, p := range o.points {
		if p.charged >= 0.9*o.peak && o.peak > 0 {
			return p, true
		}
	}
	return observation{}, false
}

// levels reports a charge of so many packets that had stopped growing while many
// more were sent. From the first moment at the level on the least counts: what is
// only on its way comes and goes.
func (o observed) levels(kept float64) bool {
	if kept < levelLeast {
		return false
	}
	sent, since := o.sent(), math.Inf(1)
	for _, p := range o.points {
		if p.charged >= levelFrom*kept {
			since = min(since, p.sent)
		}
		if p.sent >= since && p.sent < sent && p.charged < levelShare*kept {
			return false
		}
	}
	return sent-since >= max(levelLeast, levelFurther*kept)
}

// sent is how many packets were sent in all.
func (o observed) sent() float64 {
	if len(o.points) == 0 {
		return 0
	}
	return o.points[len(o.points)-1].sent
}

// last is the last moment at which anything was charged.
func (o observed) last() (at observation, ok bool) {
	for i := len(o.points) - 1; i >= 0; i-- {
		if o.points[i].charged > 0 {
			return o.points[i], true
		}
	}
	return observation{}, false
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
