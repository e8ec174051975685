// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/ledger"
	"skleak/harness/traffic"
	"skleak/record"
	"skleak/scenarios"
)

// LedgerCost sets sending with a ledger beside sending without.
type LedgerCost struct {
	// Asked is the rate asked for in packets per second, 0 for all it can.
	Asked   float64 `json:"asked_pps"`
	Packets int     `json:"packets"`
	// By is what the ledger was kept with.
	By string `json:"by"`
	// Off and On are packets per second, Ratio is on divided by off, pair by pair.
	Off   Spread `json:"off_pps"`
	On    Spread `json:"on_pps"`
	Ratio Spread `json:"ratio"`
	// Samples and Lost are of all runs: what was read, and what did not fit.
	Samples uint64 `json:"samples"`
	Lost    uint64 `json:"lost"`
}

// ledgerRates are packets per second; 0 is all that can be sent.
func ledgerRates() []float64 { return []float64{20_000, 100_000, 0} }

// ledgerSeconds is how long a paced run takes.
const ledgerSeconds = 1

// ledgerCosts measures by turns, with and without. Where this user or kernel
// has no ledger it says why and measures nothing.
func (t *track) ledgerCosts(ctx context.Context, set settings) (costs []LedgerCost, missing string, err error) {
	held, err := ledger.Hold(true)
	var unavailable *record.UnsupportedError
	if errors.As(err, &unavailable) {
		return nil, record.WithHint(unavailable), nil
	}
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	for _, rate := range ledgerRates() {
		c, err := t.ledgerCost(ctx, rate, set, held)
		if err != nil {
			return nil, "", err
		}
		costs = append(costs, c)
	}
	return costs, "", nil
}

// ledgerCost runs both by turns. The first pair warms up and is not counted.
func (t *track) ledgerCost(ctx context.Context, rate float64, set settings, held *ledger.Held) (LedgerCost, error) {
	c := LedgerCost{Asked: rate, Packets: set.packets}
	if rate > 0 {
		c.Packets = int(rate * ledgerSeconds)
	}
	plan := traffic.Plan{Rate: rate, Count: c.Packets, Style: scenarios.StyleSendFirst}
	var off, on, ratio []float64
	for i := range set.pairs + 1 {
		without, err := t.runGo(ctx, plan, nil)
		if err != nil {
			return c, err
		}
		with, account, err := t.runFollowed(ctx, plan, held)
		if err != nil {
			return c, err
		}
		c.By = account.By
		c.Samples += account.Samples
		c.Lost += account.Lost
		if i > 0 {
			a, b := pps(without), pps(with)
			off, on, ratio = append(off, a), append(on, b), append(ratio, b/a)
		}
	}
	c.Off, c.On, c.Ratio = spread(off), spread(on), spread(ratio)
	return c, nil
}

func pps(s traffic.Stats) float64 {
	return float64(s.Sent) / (float64(s.LastSendNs-s.StartNs) / 1e9)
}

// runFollowed sends as runGo does, with a ledger that follows all of it.
func (t *track) runFollowed(ctx context.Context, plan traffic.Plan, held *ledger.Held) (stats traffic.Stats, account record.Ledger, err error) {
	size := uint32(len(t.packet.IP()))
	const ethernet = 14
	led, err := ledger.Open(ledger.Config{
		Rules:   ledger.Rules{PID: int32(os.Getpid()), Lengths: []uint32{size, size + ethernet}},
		Devices: []string{near, far}, Began: time.Now(), Probes: held.Probes(),
	})
	if err != nil {
		return stats, account, err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	stats, err = t.send(ctx, plan, nil, func(s *traffic.Stream) error { return own(led, s) })
	if err != nil {
		return stats, account, err
	}
	led.Account(&account, ledger.Holding{})
	if account.Lost == 0 && account.Seen != plan.Count {
		return stats, account, fmt.Errorf("the ledger saw %d of %d packets and lost no sample", account.Seen, plan.Count)
	}
	return stats, account, nil
}

// own lets a ledger follow a stream that has not sent yet.
func own(led *ledger.Ledger, s *traffic.Stream) error {
	for _, sender := range s.Senders() {
		cookie, err := unix.GetsockoptUint64(sender.FD(), unix.SOL_SOCKET, unix.SO_COOKIE)
		if err == nil {
			err = led.Own(cookie)
		}
		if err != nil {
			return fmt.Errorf("let the ledger follow the sender: %w", err)
		}
	}
	return nil
}
