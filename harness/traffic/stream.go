// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
)

// Stream is the sockets of one sender, served by turns.
type Stream struct{ senders []*Sender }

// OpenStream opens one socket for all targets of cfg, as Quagga does, or with
// perLink one for each, as BIRD does.
func OpenStream(cfg Config, perLink bool) (*Stream, error) {
	if !perLink {
		s, err := Open(cfg)
		if err != nil {
			return nil, err
		}
		return NewStream(s), nil
	}
	stream := &Stream{}
	for _, t := range cfg.Targets {
		one := cfg
		one.Name, one.Targets = t.Link, []Target{t}
		s, err := Open(one)
		if err != nil {
			return nil, errors.Join(err, stream.Close())
		}
		stream.senders = append(stream.senders, s)
	}
	if len(stream.senders) == 0 {
		return nil, errors.New("open sending sockets: no link to send through: name one in `via`")
	}
	return stream, nil
}

// NewStream serves senders by turns. Close closes them.
func NewStream(senders ...*Sender) *Stream { return &Stream{senders: senders} }

// Senders are the sockets, in the order they were opened.
func (s *Stream) Senders() []*Sender { return s.senders }

// Close closes every socket. What was sent may outlive it.
func (s *Stream) Close() error {
	var errs []error
	for _, one := range s.senders {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// Run sends what plan says. A refused packet does not stop it. A socket that
// stays full for Plan.BlockLimit is given up; the others go on. The error is the
// context's, or says what of the sender itself failed; Stats is valid with it.
// One Run at a time.
func (s *Stream) Run(ctx context.Context, plan Plan, obs Observer) (Stats, error) {
	plan, err := plan.check()
	if err != nil {
		return Stats{Stopped: ByError}, fmt.Errorf("plan traffic: %w", err)
	}
	schedule, err := NewSchedule(plan.Rate, plan.Burst)
	if err != nil {
		return Stats{Stopped: ByError}, fmt.Errorf("plan traffic: %w", err)
	}
	if len(s.senders) == 0 {
		return Stats{Stopped: ByError}, errors.New("send: no socket to send through")
	}
	if obs == nil {
		obs = nobody{}
	}
	clk, err := newClock(plan.Epoch, obs.Waiting)
	if err != nil {
		return Stats{Stopped: ByError}, fmt.Errorf("start traffic: %w", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if schedule.Paced() {
		defer precise()()
	}
	r := &run{plan: plan, obs: obs, clock: clk, schedule: schedule, senders: s.senders}
	return r.do(ctx)
}

// share is how many of count packets are the part of socket i of n.
func share(count, i, n int) int {
	if count == 0 {
		return math.MaxInt
	}
	part := count / n
	if i < count%n {
		part++
	}
	return part
}
