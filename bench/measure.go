// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"time"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"skleak/harness/traffic"
	"skleak/scenarios"
)

// Result is what the benchmark prints.
type Result struct {
	Schema  string       `json:"schema"`
	Packet  string       `json:"packet"`
	Pairs   int          `json:"pairs"`
	Packets int          `json:"packets"`
	Styles  []Comparison `json:"styles"`
	Pacing  []Lateness   `json:"pacing"`
	// Ledger is empty where LedgerMissing says why.
	Ledger        []LedgerCost `json:"ledger"`
	LedgerMissing string       `json:"ledger_missing,omitempty"`
	// Boots is nil where BootsMissing says why.
	Boots        *Boots `json:"boots,omitempty"`
	BootsMissing string `json:"boots_missing,omitempty"`
}

// Comparison sets one style of ours beside the C loop.
type Comparison struct {
	Style string `json:"style"`
	// Ours and Peer are packets per second.
	Ours Spread `json:"ours_pps"`
	Peer Spread `json:"peer_pps"`
	// Ratio is ours divided by the peer's, pair by pair.
	Ratio Spread `json:"ratio"`
}

// Spread is a median with its quartiles, its 95 % confidence interval, and the
// values it is of.
type Spread struct {
	Median float64   `json:"median"`
	Lower  float64   `json:"lower_quartile"`
	Upper  float64   `json:"upper_quartile"`
	Low    float64   `json:"low_95"`
	High   float64   `json:"high_95"`
	Values []float64 `json:"values"`
}

func spread(values []float64) Spread {
	sample := benchmath.NewSample(append([]float64(nil), values...), &benchmath.DefaultThresholds)
	sum := benchmath.AssumeNothing.Summary(sample, 0.95)
	sorted := stats.Sample{Xs: sample.Values, Sorted: true}
	return Spread{
		Median: sum.Center, Lower: sorted.Quantile(0.25), Upper: sorted.Quantile(0.75),
		Low: sum.Lo, High: sum.Hi, Values: values,
	}
}

// Lateness is how long after its deadline the kernel had taken a packet.
type Lateness struct {
	Rate    float64 `json:"rate_pps"`
	Packets int     `json:"packets"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	Max     float64 `json:"max_us"`
}

func (t *track) measure(ctx context.Context, set settings) (Result, error) {
	res := Result{Schema: "skleak-bench/1", Packet: t.packet.Spec.Name, Pairs: set.pairs, Packets: set.packets}
	for _, style := range []string{scenarios.StyleSendFirst, scenarios.StylePollFirst} {
		c, err := t.compare(ctx, style, set)
		if err != nil {
			return res, err
		}
		res.Styles = append(res.Styles, c)
	}
	for _, rate := range []float64{1_000, 10_000, 100_000} {
		l, err := t.lateness(ctx, rate, min(set.late, int(2*rate)))
		if err != nil {
			return res, err
		}
		res.Pacing = append(res.Pacing, l)
	}
	var err error
	res.Ledger, res.LedgerMissing, err = t.ledgerCosts(ctx, set)
	return res, err
}

// compare runs both by turns. The first pair warms up and is not counted.
func (t *track) compare(ctx context.Context, style string, set settings) (Comparison, error) {
	var ours, peer, ratio []float64
	for i := range set.pairs + 1 {
		a, err := t.goRate(ctx, style, set.packets)
		if err != nil {
			return Comparison{}, err
		}
		b, err := t.peerRate(ctx, set.packets)
		if err != nil {
			return Comparison{}, err
		}
		if i > 0 {
			ours, peer, ratio = append(ours, a), append(peer, b), append(ratio, a/b)
		}
	}
	return Comparison{Style: style, Ours: spread(ours), Peer: spread(peer), Ratio: spread(ratio)}, nil
}

// watch notes when each packet had been taken.
type watch struct {
	epoch time.Time
	at    []time.Duration
}

// Sent implements traffic.Observer.
func (w *watch) Sent(n int) {
	now := time.Since(w.epoch)
	for range n {
		w.at = append(w.at, now)
	}
}

// Blocked implements traffic.Observer.
func (w *watch) Blocked() {}

// Waiting implements traffic.Observer.
func (w *watch) Waiting() {}

// Charged implements traffic.Observer.
func (w *watch) Charged(int, uint32) {}

func (t *track) lateness(ctx context.Context, rate float64, packets int) (Lateness, error) {
	schedule, err := traffic.NewSchedule(rate, 1)
	if err != nil {
		return Lateness{}, err
	}
	w := &watch{epoch: time.Now(), at: make([]time.Duration, 0, packets)}
	plan := traffic.Plan{Rate: rate, Count: packets, Style: scenarios.StyleSendFirst, Epoch: w.epoch}
	sent, err := t.runGo(ctx, plan, w)
	if err != nil {
		return Lateness{}, err
	}
	var late []float64
	for i, at := range w.at {
		due := time.Duration(sent.StartNs) + schedule.Deadline(i)
		late = append(late, float64(at-due)/1e3)
	}
	all := stats.Sample{Xs: late}
	all.Sort()
	_, most := all.Bounds()
	return Lateness{Rate: rate, Packets: packets, P50: all.Quantile(0.5), P99: all.Quantile(0.99), Max: most}, nil
}
