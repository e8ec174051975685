// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// until waits for ok, five seconds at the most.
func until(ok func() bool) bool {
	for range 5000 {
		if ok() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return ok()
}

func awake(w *Waiter) func() bool {
	return func() bool {
		_, asleep := w.Asleep()
		return !asleep
	}
}

func TestWaiterDoesNotParkOnWritable(t *testing.T) {
	held(t, func(s *sender, lo *heldLoopback) error {
		w, err := NewWaiter(s.fd)
		if err != nil {
			return err
		}
		err = w.Park()
		if _, asleep := w.Asleep(); asleep || w.Story().Parked != 0 {
			t.Errorf("parked on a writable socket: %+v", w.Story())
		}
		return errors.Join(err, w.Close(), lo.release())
	})
}

// A sound kernel wakes the waiter each time.
func TestWaiterIsWoken(t *testing.T) {
	const rounds = 20
	inSpace(t, func() error {
		s, err := newSender(68)
		if err != nil {
			return err
		}
		w, err := NewWaiter(s.fd)
		if err != nil {
			return err
		}
		for range rounds {
			if err := fillParkRelease(t, s, w); err != nil {
				return err
			}
		}
		if story := w.Story(); story.Parked != rounds || story.Woken != rounds || story.AsleepNs != 0 {
			t.Errorf("story = %+v after %d rounds", story, rounds)
		}
		return errors.Join(w.Close(), s.close())
	})
}

func fillParkRelease(t *testing.T, s *sender, w *Waiter) error {
	lo, err := holdLoopback(68, 1500, nil)
	if err != nil {
		return err
	}
	_, err = s.fill()
	if err := errors.Join(err, w.Park(), w.Park()); err != nil {
		return err
	}
	if asleep, err := w.CheckAsleep(832, s.charge); asleep || err != nil {
		t.Errorf("CheckAsleep = %t, %v while not writable", asleep, err)
	}
	if _, asleep := w.Asleep(); !asleep {
		t.Error("not parked on a full socket")
	}
	if err := lo.release(); err != nil {
		return err
	}
	if asleep, err := w.CheckAsleep(832, s.charge); asleep || err != nil {
		t.Errorf("CheckAsleep = %t, %v after a release", asleep, err)
	}
	if !until(awake(w)) {
		t.Error("not woken by the release")
	}
	return nil
}

// An error on the error queue makes poll return at once, for ever; it is no
// wake-up.
func TestWaiterSleepsThroughErrors(t *testing.T) {
	held(t, func(s *sender, lo *heldLoopback) error {
		w, err := NewWaiter(s.fd)
		if err != nil {
			return err
		}
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
			return err
		}
		_, err = s.fill()
		if err := errors.Join(err, w.Park()); err != nil {
			return err
		}
		tooLong := make([]byte, 3000)
		copy(tooLong, s.packet)
		long := &sender{fd: s.fd, packet: tooLong}
		if err := long.send(); !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("a packet longer than the mtu: %v", err)
		}
		fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
		if _, err := unix.Poll(fds, 0); err != nil || fds[0].Revents != unix.POLLERR {
			t.Errorf("poll = %#x, %v; want POLLERR alone", fds[0].Revents, err)
		}
		if err := w.answer(); err != nil {
			return err
		}
		if _, asleep := w.Asleep(); !asleep || w.Story().Woken != 0 {
			t.Errorf("an error counted as a wake-up: %+v", w.Story())
		}
		if err := lo.release(); err != nil {
			return err
		}
		if !until(awake(w)) {
			t.Error("not woken by the release")
		}
		return w.Close()
	})
}

// An error that comes with a look at a writable socket is no wake-up: who was
// overdue sleeps on, and of others it is not known.
func TestWaiterTellsErrorsFromWakeups(t *testing.T) {
	out := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLERR, Fd: itemSocket}
	failed := unix.EpollEvent{Events: unix.EPOLLERR, Fd: itemError}
	tests := []struct {
		name           string
		overdue        bool
		events         []unix.EpollEvent
		asleep         bool
		woken, unclear int
	}{
		{name: "an error on the queue, a wake-up", events: []unix.EpollEvent{out}, woken: 1},
		{name: "an error alone", events: []unix.EpollEvent{{Events: unix.EPOLLERR, Fd: itemSocket}, failed}, asleep: true},
		{name: "both at once", events: []unix.EpollEvent{out, failed}, unclear: 1},
		{name: "an error, the wake-up overdue", overdue: true, events: []unix.EpollEvent{failed, out}, asleep: true},
		{name: "a wake-up after all", overdue: true, events: []unix.EpollEvent{out}, woken: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			held(t, func(s *sender, lo *heldLoopback) error {
				w, err := NewWaiter(s.fd)
				if err != nil {
					return err
				}
				_, err = s.fill()
				if err := errors.Join(err, w.Park()); err != nil {
					return err
				}
				w.mu.Lock()
				w.overdue = tt.overdue
				w.mu.Unlock()
				w.handle(tt.events, nil)
				_, asleep := w.Asleep()
				if story := w.Story(); asleep != tt.asleep || story.Woken != tt.woken || story.Unclear != tt.unclear {
					t.Errorf("asleep %v, story %+v", asleep, story)
				}
				return errors.Join(w.Close(), lo.release())
			})
		})
	}
}

// A kernel that forgets its waiter is played by taking the socket out of the
// waiter's hands before the release.
func TestCheckAsleepFindsLostWakeup(t *testing.T) {
	held(t, func(s *sender, lo *heldLoopback) error {
		w, err := NewWaiter(s.fd)
		if err != nil {
			return err
		}
		_, err = s.fill()
		if err := errors.Join(err, w.Park(), unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, s.fd, nil), lo.release()); err != nil {
			return err
		}
		looks := 0
		moving := func() (uint32, error) { looks++; return uint32(looks), nil }
		if asleep, err := w.CheckAsleep(832, moving); asleep || err != nil {
			t.Errorf("CheckAsleep = %t, %v with a charge that moves", asleep, err)
		}
		nearHalf := func() (uint32, error) { return 212992/2 - 832, nil }
		if asleep, err := w.CheckAsleep(832, nearHalf); asleep || err != nil {
			t.Errorf("CheckAsleep = %t, %v at the boundary", asleep, err)
		}
		saturated := func() (uint32, error) { return 0xBFFFFFFF, nil }
		if asleep, err := w.CheckAsleep(832, saturated); asleep || err != nil {
			t.Errorf("CheckAsleep = %t, %v with a saturated counter", asleep, err)
		}
		asleep, err := w.CheckAsleep(832, s.charge)
		if story := w.Story(); !asleep || err != nil || story.AsleepNs < 300e6 || story.Woken != 0 {
			t.Errorf("CheckAsleep = %t, %v; story %+v", asleep, err, story)
		}
		return w.Close()
	})
}

func TestWaiterOnNoSocket(t *testing.T) {
	w, err := NewWaiter(-1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Park(); !errors.Is(err, unix.EBADF) {
		t.Errorf("parked on a socket that is none: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
