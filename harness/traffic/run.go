// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// run is one Stream.Run under way.
type run struct {
	plan     Plan
	obs      Observer
	clock    clock
	schedule Schedule
	senders  []*Sender

	start, first, last time.Duration
	// slot numbers the packets of the schedule, those of stalled sockets too.
	slot int
	// refused is by links and their queues, reported by ICMP errors.
	refused, reported refusals
	ownFull           int
	inARow            int
}

// socketState is what a run knows of one socket.
type socketState struct {
	left    int
	sent    int
	blocked int
	toStall int
	// stalledOn is the link of the last packet before that.
	stalledOn string
	stalled   bool
	links     []LinkStats
	// step is how many packets the next batch may have.
	step int
	// kept are packets for a reader to see, noted how many had been sent by the
	// last of them.
	kept  kept
	noted int
}

func (st *socketState) done() bool { return st.stalled || st.left == 0 }

func (r *run) do(ctx context.Context) (Stats, error) {
	for i, s := range r.senders {
		s.begin(share(r.plan.Count, i, len(r.senders)))
	}
	r.start = r.clock.now()
	reason, err := r.loop(ctx)
	for _, s := range r.senders {
		s.noteStall()
		s.noteGrowth()
		s.keepSent(int64(r.last), charge(s.fd))
	}
	return r.stats(reason), err
}

// loop serves the sockets by turns until one thing or another ends it.
func (r *run) loop(ctx context.Context) (Reason, error) {
	for i := 0; r.alive(); i = (i + 1) % len(r.senders) {
		if r.plan.Duration > 0 && r.clock.now()-r.start >= r.plan.Duration {
			return ByDuration, nil
		}
		if err := r.waitForTurn(ctx); err != nil {
			return r.ended(ctx, err)
		}
		s := r.senders[i]
		if s.state.done() {
			r.slot++
			continue
		}
		n, err := r.serve(ctx, i, r.allowed(s))
		if err != nil {
			return r.ended(ctx, err)
		}
		r.slot += n
	}
	return r.finished(), nil
}

// alive reports whether a socket is left to serve.
func (r *run) alive() bool {
	for _, s := range r.senders {
		if !s.state.done() {
			return true
		}
	}
	return false
}

// ended tells the context's end, and that of the duration, from an error.
func (r *run) ended(ctx context.Context, err error) (Reason, error) {
	if ctx.Err() != nil {
		return ByCancel, ctx.Err()
	}
	if errors.Is(err, errTimeIsUp) {
		return ByDuration, nil
	}
	return ByError, err
}

func (r *run) finished() Reason {
	for _, s := range r.senders {
		if !s.state.stalled {
			return ByCount
		}
	}
	return ByStall
}

// waitForTurn waits for the deadline of the next slot, if it has one.
func (r *run) waitForTurn(ctx context.Context) error {
	if !r.schedule.Paced() {
		return ctx.Err()
	}
	deadline := r.schedule.Deadline(r.slot)
	if r.plan.Duration > 0 && deadline >= r.plan.Duration {
		if err := r.clock.wait(ctx, r.start+r.plan.Duration); err != nil {
			return err
		}
		return errTimeIsUp
	}
	return r.clock.wait(ctx, r.start+deadline)
}

// allowed is how many packets may go in one call now: at least 1.
func (r *run) allowed(s *Sender) int {
	n := min(s.most, s.state.left)
	if r.inSteps(s) {
		n = min(n, s.state.step)
	}
	if r.schedule.Paced() {
		n = min(n, r.schedule.Due(r.clock.now()-r.start)-r.slot)
		if len(r.senders) > 1 {
			n = 1
		}
	}
	return max(n, 1)
}

// serve sends up to n packets through socket i and says how many slots that took.
func (r *run) serve(ctx context.Context, i, n int) (sent int, err error) {
	s := r.senders[i]
	if r.pollsFirst() {
		sent, err = r.pollFirst(ctx, s, n)
	} else {
		sent, err = r.sendFirst(ctx, s, n)
		s.noteStall()
	}
	if r.inSteps(s) {
		charged := s.widen()
		r.obs.Charged(i, uint32(charged))
		s.keepSent(int64(r.last), charged)
	}
	return sent, err
}

func (r *run) pollsFirst() bool { return r.plan.Style == scenarios.StylePollFirst }

// inSteps says whether batches keep clear of the threshold of poll. Who sends
// first needs that until the packet that crosses it is known.
func (r *run) inSteps(s *Sender) bool { return r.pollsFirst() || s.state.toStall < 0 }

// taken books n packets the kernel took.
func (r *run) taken(s *Sender, n int) {
	r.last = r.clock.now()
	if r.first == 0 {
		r.first = r.last
	}
	s.state.left -= n
	s.state.sent += n
	r.inARow = 0
	r.obs.Sent(n)
}

// notTaken books one packet the kernel refused. An errno that means the sender
// itself is broken is an error.
func (r *run) notTaken(s *Sender, errno unix.Errno) error {
	switch errno {
	case unix.EBADF, unix.ENOTSOCK, unix.EFAULT, unix.ENOSYS:
		return fmt.Errorf("send through %s: %w", s.name, errno)
	}
	r.refused.add(errno)
	s.state.left--
	if s.state.links != nil {
		s.state.links[s.turn].Refused++
	}
	s.advance(1)
	r.inARow++
	if r.plan.Backoff && r.inARow%maxBatch == 0 {
		time.Sleep(200 * time.Microsecond)
	}
	return nil
}

func (r *run) stats(reason Reason) Stats {
	st := Stats{
		Refused: r.refused.names(), Reported: r.reported.names(), OwnFull: r.ownFull, Stopped: reason,
		StartNs: int64(r.start), FirstSendNs: int64(r.first), LastSendNs: int64(r.last),
	}
	for _, s := range r.senders {
		st.Sent += s.state.sent
		st.Blocked += s.state.blocked
		st.Sockets = append(st.Sockets, SocketStats{
			Name: s.name, Sent: s.state.sent, Blocked: s.state.blocked,
			PacketsToStall: s.state.toStall, StalledOn: s.state.stalledOn, Stalled: s.state.stalled, Links: s.state.links,
			Kept: s.state.kept.all(), Forms: s.forms,
		})
	}
	return st
}
