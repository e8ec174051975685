// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skleak/harness/traffic"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// Cost is what one packet is charged with, in bytes, and how that was measured.
type Cost struct {
	Truesize int64
	By       string
}

// InPlace is the experiment through a link that is there already, the first of
// the scenario's traffic: it sends, settles and waits, and changes nothing. There
// is no ladder and no second filling, so who holds is the ledger's to say. The
// truesize comes from elsewhere, since to measure it takes a queue on lo.
//
// The calling goroutine must be locked to its thread, which is in the link's
// network namespace.
func (x *Experiment) InPlace(ctx context.Context, cost Cost) (t record.Trace, err error) {
	survey, err := netns.OpenSurvey()
	if err != nil {
		return record.Trace{}, err
	}
	defer func() { err = errors.Join(err, survey.Close()) }()
	x.picture, x.trace.InPlace = survey.State, true
	x.trace.Truesize, x.trace.TruesizeBy = cost.Truesize, cost.By
	// The law speaks of the packet that a link is tried for.
	if hello, err := traffic.Lookup(scenarios.Packets()[0]); err == nil {
		x.trace.Message, x.trace.EveryNs = hello.Message, hello.Every.Nanoseconds()
	}
	cfg, err := x.config()
	if err != nil {
		return record.Trace{}, err
	}
	x.ledgerRun = x.openLedgerRun()
	s, err := x.openSending()
	if err != nil {
		return record.Trace{}, errors.Join(err, x.ledgerRun.close())
	}
	x.ledgerRun.own(s)
	err = errors.Join(x.fillInPlace(ctx, s), s.close(), x.ledgerRun.close())
	if err != nil {
		return record.Trace{}, err
	}
	link := cfg.Targets[0]
	if there, err := survey.There(link.Link, link.Index); err != nil || !there {
		return record.Trace{}, errors.Join(err, fmt.Errorf("%s went away while packets were sent through it; nothing is shown", link.Link))
	}
	x.trace.Seconds = time.Since(x.began).Seconds()
	return x.trace, nil
}

// fillInPlace sends, and looks whether time alone lets go of what is held.
func (x *Experiment) fillInPlace(ctx context.Context, s *sending) error {
	if err := x.fill(ctx, s); err != nil {
		return err
	}
	x.phase(record.PhaseSettle)
	if err := x.settleAndResume(ctx, s); err != nil {
		return err
	}
	x.keepSockets(s)
	x.ledgerRun.account(s)
	if !x.waits() {
		return x.probeAtRest(ctx, s)
	}
	x.phase(record.PhasePatience)
	var err error
	if x.trace.Patience, err = patience(ctx, s, x.patience(), x.trace.LastSendNs); err != nil {
		return err
	}
	x.keepSockets(s)
	return nil
}
