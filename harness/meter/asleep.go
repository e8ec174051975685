// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// asleepLooks and asleepEvery make the time a charge must stand still: ten
	// looks more than the first, over 300 ms and more.
	asleepLooks = 10
	asleepEvery = 32 * time.Millisecond
	// bellPatience bounds the wait for the waiter's thread on a busy machine.
	bellPatience = 5 * time.Second
)

// CheckAsleep judges whether the waiter sleeps though the socket is writable: a
// lost wake-up. It takes some 320 ms where that seems so, and returns at once
// where it does not. It says so only if, at every look, a fresh poll says
// writable, the charge is the same, the charge is more than truesize below the
// half of the send buffer, and the waiter sleeps since before the first look.
// The margin is there because the wake-up is weighed by the last skb while that
// is still in part charged (net/core/sock.c, sock_wfree, sock_def_write_space).
// charge is in bytes, truesize too. The longest finding is kept in Story.
func (w *Waiter) CheckAsleep(truesize int64, charge func() (uint32, error)) (asleep bool, err error) {
	since, parked := w.Asleep()
	if !parked {
		return false, nil
	}
	sndbuf, err := unix.GetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return false, fmt.Errorf("read the send buffer of socket %d: %w", w.fd, err)
	}
	begin := time.Now()
	first, err := charge()
	if err != nil {
		return false, err
	}
	if Saturated(first) || int64(first)+max(truesize, 1) >= int64(sndbuf/2) {
		return false, nil
	}
	if late, err := w.isOverdue(since, first, charge); err != nil || !late {
		return false, err
	}
	for look := 0; ; look++ {
		if still, err := w.stillAsleep(since, first, charge); err != nil || !still {
			return false, err
		}
		if look == asleepLooks {
			break
		}
		time.Sleep(asleepEvery)
	}
	slept := time.Since(begin)
	if err := w.answer(); err != nil {
		return false, err
	}
	if still, err := w.stillAsleep(since, first, charge); err != nil || !still {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ns := slept.Nanoseconds(); ns > w.story.AsleepNs {
		w.story.AsleepNs, w.story.AsleepBytes = ns, int64(first)
	}
	return true, nil
}

// isOverdue reports that the socket is writable and that no wake-up for it is on
// its way: an error that wakes the waiter from here on is not taken for one.
func (w *Waiter) isOverdue(since time.Time, first uint32, charge func() (uint32, error)) (bool, error) {
	if still, err := w.stillAsleep(since, first, charge); err != nil || !still {
		return false, err
	}
	if err := w.answer(); err != nil {
		return false, err
	}
	still, err := w.stillAsleep(since, first, charge)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.overdue = still && w.parked
	return w.overdue, err
}

func (w *Waiter) stillAsleep(since time.Time, first uint32, charge func() (uint32, error)) (bool, error) {
	writable, err := Writable(w.fd)
	if err != nil || !writable {
		return false, err
	}
	now, err := charge()
	if err != nil || now != first {
		return false, err
	}
	from, parked := w.Asleep()
	return parked && from.Equal(since), nil
}

// answer returns when the thread has dealt with every wake-up given before: a
// thread that was woken and had no CPU yet is not asleep.
func (w *Waiter) answer() error {
	ack := make(chan struct{})
	w.mu.Lock()
	w.acks = append(w.acks, ack)
	w.mu.Unlock()
	if err := w.ring(); err != nil {
		return err
	}
	select {
	case <-ack:
		return nil
	case <-w.done:
		return fmt.Errorf("the waiter of socket %d has ended: %w", w.fd, w.err)
	case <-time.After(bellPatience):
		return fmt.Errorf("the waiter of socket %d did not answer within %s", w.fd, bellPatience)
	}
}
