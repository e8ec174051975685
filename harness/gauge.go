package harness

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

// watch reads again and again, each time after a sleep of every, until look
// says so, ctx ends or so many readings were made. It counts readings, not
// time: a machine that stood still for a while has looked only once.
func (g gauge) watch(ctx context.Context, every time.Duration, readings int, look func(record.Reading) (done bool)) (record.Reading, error) {
	r, err := g.read()
	if err != nil || look(r) {
		return r, err
	}
	for range readings {
		if err := sleep(ctx, every); err != nil {
			return r, err
		}
		if r, err = g.read(); err != nil || look(r) {
			return r, err
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
