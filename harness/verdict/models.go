// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"math"
)

// LawKind is how a holder lets go by itself.
type LawKind string

// The kinds.
const (
	// LawUnknown: no model gives the course again.
	LawUnknown LawKind = ""
	// LawUntried: time was given no chance.
	LawUntried LawKind = "untried"
	// LawForEver: not within the time it was watched.
	LawForEver LawKind = "for ever"
	// LawTime: a packet goes a fixed time after it was taken, or all do that time
	// after the first, as ARP drops what waits for a neighbour that does not answer.
	LawTime LawKind = "time"
	// LawDrain: one after the other, at a line's rate.
	LawDrain LawKind = "drain"
)

const (
	// fitMost is the residual up to which a model is believed: the root of the mean
	// square of what it is off by, as a part of the peak.
	fitMost = 0.12
	// boundGain is by how much a bound must better the residual to be believed.
	boundGain = 0.02
)

// model is a holder. It takes a share of the packets, so many at once at the
// most, and lets go of them by one kind.
type model struct {
	kind LawKind
	// hold is seconds, drain packets a second, credit the packets that a drain lets
	// through at once.
	hold, drain, credit float64
	// together: all go a hold time after the first.
	together bool
	share    float64
	// bound is packets; infinite for none.
	bound float64
}

// predict gives what is charged at each moment of o.
func (m model) predict(o observed) []float64 {
	switch {
	case m.kind == LawDrain:
		return m.drained(o)
	case m.together:
		return m.batches(o)
	default:
		return m.timed(o)
	}
}

// timed: what was sent within the hold time.
func (m model) timed(o observed) []float64 {
	out := make([]float64, len(o.points))
	from := 0
	for i, p := range o.points {
		var before float64
		before, from = o.sentBy(p.at-m.hold, from)
		out[i] = min(m.share*(p.sent-before), m.bound)
	}
	return out
}

// batches: all that was sent since the first one that is there.
func (m model) batches(o observed) []float64 {
	out := make([]float64, len(o.points))
	gone, since := 0.0, math.Inf(1)
	at := 0
	for i, p := range o.points {
		if p.at-since >= m.hold {
			gone, at = o.sentBy(since+m.hold, at)
			since = math.Inf(1)
		}
		if kept := m.share * (p.sent - gone); kept >= minPart {
			if math.IsInf(since, 1) {
				since = p.at
			}
			out[i] = min(kept, m.bound)
		}
	}
	return out
}

// minPart of a packet is none.
const minPart = 1e-6

// drained: a queue with a line behind it.
func (m model) drained(o observed) []float64 {
	out := make([]float64, len(o.points))
	queue, credit := 0.0, m.credit
	for i, p := range o.points {
		arrived, passed := m.share*p.sent, 0.0
		if i > 0 {
			before := o.points[i-1]
			arrived, passed = m.share*(p.sent-before.sent), m.drain*(p.at-before.at)
		}
		queue += arrived - passed
		if queue < 0 {
			credit, queue = min(credit-queue, m.credit), 0
		}
		used := min(credit, queue)
		credit, queue = credit-used, min(queue-used, m.bound)
		out[i] = queue
	}
	return out
}

// residual is how far m is off, as a part of the peak.
func (m model) residual(o observed) float64 {
	if o.peak <= 0 || len(o.points) == 0 {
		return math.Inf(1)
	}
	sum := 0.0
	for i, want := range m.predict(o) {
		d := want - o.points[i].charged
		sum += d * d
	}
	return math.Sqrt(sum/float64(len(o.points))) / o.peak
}

// fit finds the model that gives o again best. Oldest is the longest that a
// packet was seen charged, in seconds; refused says that a queue on the way was
// seen full. Of two that do about as well the simpler is taken: one that takes
// all, one that takes so many at the most, one that takes a share. ok is false
// where none comes close.
func fit(o observed, oldest float64, refused bool) (best model, residual float64, ok bool) {
	best, residual = bestOf(o, oldest, model{share: 1, bound: math.Inf(1)})
	if math.IsInf(residual, 1) {
		return best, residual, false
	}
	better := func(m model, r float64) {
		if r < residual-boundGain {
			best, residual = m, r
		}
	}
	if bounded, r := bestOf(o, oldest, model{share: 1, bound: o.peak}); refused {
		best, residual = bounded, r
	} else if o.levels(o.peak) {
		better(bounded, r)
	}
	if share, some := o.share(); some {
		better(bestOf(o, oldest, model{share: share, bound: math.Inf(1)}))
	}
	return best, residual, residual <= fitMost
}

// bestOf is the best of the models with a share and a bound: of each kind the
// best of a coarse choice around what the course says of time and rate, and then
// of those near it.
func bestOf(o observed, oldest float64, base model) (best model, residual float64) {
	residual = math.Inf(1)
	for _, guess := range guesses(o, oldest, base) {
		m, _ := guess.refined(o, 0.8, 1.25, coarseStep)
		m, r := m.refined(o, 1-2*coarseStep, 1+2*coarseStep, fineStep)
		if r < residual {
			best, residual = m, r
		}
	}
	return best, residual
}

// Steps of a guess, as parts of it.
const (
	coarseStep = 0.01
	fineStep   = 0.001
)

// refined is the best of m with its time and rate a little changed.
func (m model) refined(o observed, least, most, step float64) (best model, residual float64) {
	residual = math.Inf(1)
	for _, f := range nearOne(least, most, step) {
		one := m
		one.hold, one.drain = m.hold*f, m.drain*f
		if r := one.residual(o); r < residual {
			best, residual = one, r
		}
	}
	return best, residual
}

// guesses are models of every kind.
func guesses(o observed, oldest float64, base model) []model {
	var out []model
	if oldest > 0 {
		timed := base
		timed.kind, timed.hold = LawTime, oldest
		together := timed
		together.together = true
		out = append(out, timed, together)
	}
	if rate, credit := lineRate(o); rate > 0 {
		drain := base
		drain.kind, drain.drain = LawDrain, rate
		passing := drain
		passing.credit = credit
		out = append(out, drain, passing)
	}
	return out
}

// nearOne are the numbers from a least to a most, those near 1 first: between two
// looks any time would do, and the first that fits best is taken.
func nearOne(least, most, step float64) []float64 {
	out := []float64{1}
	for i := 1; ; i++ {
		low, high := 1-float64(i)*step, 1+float64(i)*step
		if low < least && high > most {
			return out
		}
		if low >= least {
			out = append(out, low)
		}
		if high <= most {
			out = append(out, high)
		}
	}
}

// share is what part of the packets the peak shows to be kept; some is false
// where that is about all.
func (o observed) share() (share float64, some bool) {
	at, ok := o.peakAt()
	if !ok || at.sent <= 0 || at.charged >= 0.75*at.sent {
		return 1, false
	}
	return at.charged / at.sent, true
}

// lineRate guesses a drain from what left between the first peak and the end,
// and how many packets had passed by the peak.
func lineRate(o observed) (rate, credit float64) {
	first, ok := o.peakAt()
	last, some := o.last()
	if !ok || !some || last.at <= first.at {
		return 0, 0
	}
	left := (last.sent - last.charged) - (first.sent - first.charged)
	rate = left / (last.at - first.at)
	return rate, max(first.sent-first.charged-rate*(first.at-o.points[0].at), 0)
}
