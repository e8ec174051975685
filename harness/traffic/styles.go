package traffic

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// errTimeIsUp ends a run whose duration is over.
var errTimeIsUp = errors.New("the duration is over")

// pollFirst sends once poll says writable, as ospfd does: n packets where poll
// would say so before each of them (widen), even if every one stayed charged.
func (r *run) pollFirst(ctx context.Context, s *Sender, n int) (int, error) {
	if !r.writable(s) {
		n = 1
		if ok, err := r.block(ctx, s); !ok {
			return 1, err
		}
	}
	return r.sendFirst(ctx, s, n)
}

// sendFirst sends and waits only where the kernel says the socket is full, as
// BIRD does.
func (r *run) sendFirst(ctx context.Context, s *Sender, n int) (int, error) {
	limit := time.Duration(0)
	for {
		sent, errno := s.send(n)
		switch errno {
		case 0:
			s.advance(sent)
			r.taken(s, sent)
			return sent, nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			if limit == 0 {
				limit = r.clock.now() + r.plan.BlockLimit
			}
			if r.clock.now() > limit {
				s.state.stalled = true
				return 1, nil
			}
			if ok, err := r.block(ctx, s); !ok {
				return 1, err
			}
		default:
			return 1, r.notTaken(s, errno)
		}
	}
}

// writable looks at the socket once. A pending error without POLLOUT is taken
// off, or poll would never wait again.
func (r *run) writable(s *Sender) bool {
	got := pollNow(&s.poll)
	if got&unix.POLLOUT == 0 && got&unix.POLLERR != 0 {
		s.drain(&r.refused)
	}
	// A closed descriptor is for the send to report.
	return got&(unix.POLLOUT|unix.POLLNVAL) != 0
}

// block waits until the socket is writable; after Plan.BlockLimit it is given
// up, and ok is false.
func (r *run) block(ctx context.Context, s *Sender) (ok bool, err error) {
	s.state.blocked++
	if s.state.toStall < 0 {
		s.state.toStall = s.state.sent
	}
	r.obs.Blocked()
	for until := r.clock.now() + r.plan.BlockLimit; ; {
		if r.writable(s) {
			return true, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		now := r.clock.now()
		if r.plan.Duration > 0 && now-r.start >= r.plan.Duration {
			return false, errTimeIsUp
		}
		if now >= until {
			s.state.stalled = true
			return false, nil
		}
		pollFor(&s.poll, min(slice, until-now))
	}
}

// send hands over up to n packets, from the target whose turn it is.
func (s *Sender) send(n int) (int, unix.Errno) {
	if s.switched != nil {
		if errno := chooseLink(s.fd, &s.switched[s.turn]); errno != 0 {
			return 0, errno
		}
	}
	msgs := s.ring.batch(s.turn, n)
	if n == 1 {
		if errno := sendmsg(s.fd, &msgs[0].Hdr); errno != 0 {
			return 0, errno
		}
		return 1, 0
	}
	return sendmmsg(s.fd, msgs)
}

// advance gives the next targets their turn.
func (s *Sender) advance(n int) { s.turn = (s.turn + n) % s.ring.targets }

// widen sets how large the next batch may be. Batches double as long as little
// is charged and shrink to one near the threshold of poll, so that the packet
// which crosses it is known exactly.
func (s *Sender) widen() {
	s.state.step = min(s.state.step*2, s.most)
	if charge(s.fd)*8 > s.limit {
		s.state.step = 1
	}
}

// noteStall records the first time poll says not writable.
func (s *Sender) noteStall() {
	if s.state.toStall < 0 && pollNow(&s.poll)&unix.POLLOUT == 0 {
		s.state.toStall = s.state.sent
	}
}
