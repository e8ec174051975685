// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"time"

	"skleak/harness/meter"
	"skleak/record"
)

// gauge reads the charge of all sending sockets.
type gauge struct {
	fds   []int
	began time.Time
}

// read looks at every socket once. A counter taken below zero is left out of
// the sum; PerSocket has it as it is.
func (g gauge) read() (record.Reading, error) {
	r := record.Reading{Writable: true, AtNs: time.Since(g.began).Nanoseconds()}
	for _, fd := range g.fds {
		charge, err := meter.Charge(fd)
		if err != nil {
			return r, err
		}
		r.PerSocket = append(r.PerSocket, charge)
		if !meter.Saturated(charge) {
			r.Bytes += int64(charge)
		}
		writable, err := meter.Writable(fd)
		if err != nil {
			return r, err
		}
		r.Writable = r.Writable && writable
	}
	return r, nil
}

// free reports whether nothing is charged, saturated counters included.
func free(r record.Reading) bool {
	for _, c := range r.PerSocket {
		if c != 0 {
			return false
		}
	}
	return true
}

const (
	// slowest is how much longer than at first watch sleeps while nothing moves.
	slowest = 5
	// sharpness is that part of the time already waited that watch may sleep, if
	// that is longer: what it sees go went a hundredth earlier at the most.
	sharpness = 100
)

// watch reads again and again, each time after a sleep, until look says so, ctx
// ends or it has slept for most in all. It counts what it meant to sleep, not
// time: a machine that stood still for a while has looked only once. The sleeps
// are of every, and grow while nothing moves.
func (g gauge) watch(ctx context.Context, every, most time.Duration, look func(record.Reading) (done bool)) (record.Reading, error) {
	r, err := g.read()
	if err != nil || look(r) {
		return r, err
	}
	span, last := every, r.Bytes
	for slept := time.Duration(0); slept < most; {
		span = min(span, most-slept)
		if err := sleep(ctx, span); err != nil {
			return r, err
		}
		slept += span
		if r, err = g.read(); err != nil || look(r) {
			return r, err
		}
		if r.Bytes == last {
			span = min(span*5/4, max(slowest*every, slept/sharpness))
		} else {
			span, last = every, r.Bytes
		}
	}
	return r, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
