// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// slice bounds one sleep, so that a cancelled context is seen in time, and a
	// charge by a sender that samples for itself.
	slice = 20 * time.Millisecond
	// near is where sleeping stops giving the P away: getting it back may take
	// longer than what is left.
	near = time.Millisecond
	// spin is where sleeping stops altogether: a timer is late by less.
	spin = 100 * time.Microsecond
)

// clock reads monotonic time since an epoch, and sleeps until a moment of it.
type clock struct {
	epoch time.Time
	// zero is CLOCK_MONOTONIC at the epoch, in nanoseconds.
	zero int64
	// waiting is called before each sleep.
	waiting func()
}

func newClock(epoch time.Time, waiting func()) (clock, error) {
	if epoch.IsZero() {
		epoch = time.Now()
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return clock{}, fmt.Errorf("read CLOCK_MONOTONIC: %w", err)
	}
	return clock{epoch: epoch, zero: ts.Nano() - int64(time.Since(epoch)), waiting: waiting}, nil
}

// now is the time since the epoch.
func (c clock) now() time.Duration { return time.Since(c.epoch) }

// wait returns at the deadline, or soon after the context ended.
func (c clock) wait(ctx context.Context, deadline time.Duration) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := deadline - c.now()
		if left <= 0 {
			return nil
		}
		if left > near {
			c.waiting()
		}
		switch {
		case left > slice+near:
			c.sleepUntil(c.now()+slice, false)
		case left > near:
			c.sleepUntil(deadline-near, false)
		case left > spin:
			c.sleepUntil(deadline-spin, true)
		}
	}
}

// sleepUntil sleeps until a moment, or until a signal: whoever calls it looks at
// the clock again.
func (c clock) sleepUntil(at time.Duration, keepP bool) {
	ts := unix.NsecToTimespec(c.zero + int64(at))
	if keepP {
		rawSleepUntil(&ts)
		return
	}
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil)
}

// precise sets the thread's timer slack to 1 ns and gives what sets it back
// (PR_SET_TIMERSLACK, kernel/sys.c). The caller has locked the thread.
func precise() (restore func()) {
	old, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) != nil {
		// Pacing is then later by up to 50 µs, nothing worse.
		return func() {}
	}
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(old), 0, 0, 0) }
}
