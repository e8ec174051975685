// SPDX-License-Identifier: GPL-2.0-only

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
	for again := 0; ; {
		sent, errno := s.send(n)
		switch why := r.why(s, errno, again); why {
		case wasTaken:
			s.tookLast()
			s.advance(sent)
			r.taken(s, sent)
			return sent, nil
		case interrupted:
		case reported:
			again++
		case full:
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

// outcome is what an errno of a send means.
type outcome int

const (
	wasTaken outcome = iota
	interrupted
	// reported: the errno is that of an ICMP error about an earlier packet, and
	// this one was not even looked at.
	reported
	// full: the socket's own send buffer has no room.
	full
	// wasRefused: a link or its queue did not take the packet.
	wasRefused
)

// mostReports bounds how often one send is made again because of errors about
// earlier packets: as many as an error queue is drained of at once.
const mostReports = maxQueuedErrors

// why tells what errno means after a send was made again so many times.
func (r *run) why(s *Sender, errno unix.Errno, again int) outcome {
	switch {
	case errno == 0:
		return wasTaken
	case errno == unix.EINTR:
		return interrupted
	case errno == unix.EAGAIN:
		return full
	case errno == unix.ENOBUFS && s.overfull():
		r.ownFull++
		return full
	case again < mostReports && s.wasReported(errno, &r.reported):
		return reported
	case again == 0 && mayBeReported(errno):
		// The error queue may have had no room for it, and the errno is pending all
		// the same; a route that refuses will refuse again.
		return reported
	default:
		return wasRefused
	}
}

// writable looks at the socket once. A pending error without POLLOUT is taken
// off, or poll would never wait again.
func (r *run) writable(s *Sender) bool {
	got := pollNow(&s.poll)
	if got&unix.POLLOUT == 0 && got&unix.POLLERR != 0 {
		s.drain(&r.reported)
	}
	// A closed descriptor is for the send to report.
	return got&(unix.POLLOUT|unix.POLLNVAL) != 0
}

// block waits until the socket is writable; after Plan.BlockLimit it is given
// up, and ok is false.
func (r *run) block(ctx context.Context, s *Sender) (ok bool, err error) {
	s.state.blocked++
	s.noteGrowth()
	s.markStall()
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
		r.obs.Waiting()
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
	s.noteGrowth()
	s.offered.Add(int64(n))
	sent, errno := s.hand(n)
	s.offered.Add(int64(sent - n))
	return sent, errno
}

func (s *Sender) hand(n int) (int, unix.Errno) {
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

// tookLast books the packet just taken, which was sent alone, to its link.
func (s *Sender) tookLast() {
	if s.state.links != nil {
		s.growing = s.turn
		s.state.links[s.turn].Sent++
	}
}

// widen sets how large the next batch may be. Batches double as long as little
// is charged and shrink to one near the threshold of poll, so that the packet
// which crosses it is known exactly. It gives the charge it saw.
func (s *Sender) widen() int {
	s.state.step = min(s.state.step*2, s.most)
	charged := charge(s.fd)
	if charged*8 > s.limit || s.state.sent < keptPackets {
		s.state.step = 1
	}
	return charged
}

// noteStall records the first time poll says not writable.
func (s *Sender) noteStall() {
	if s.state.toStall < 0 && pollNow(&s.poll)&unix.POLLOUT == 0 {
		s.markStall()
	}
}

func (s *Sender) markStall() {
	if s.state.toStall >= 0 {
		return
	}
	s.state.toStall = s.state.sent
	s.state.kept.threshold()
	if n := len(s.names); s.state.sent > 0 {
		s.state.stalledOn = s.names[(s.turn+n-1)%n]
	}
}

// noteGrowth books to the link of the last packet, where there are several, by
// how much the charge has grown since it went.
func (s *Sender) noteGrowth() {
	links := s.state.links
	if links == nil {
		return
	}
	now := charge(s.fd)
	if s.growing >= 0 {
		links[s.growing].Grew += int64(now - s.charged)
	}
	s.charged, s.growing = now, -1
}
