// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"time"
)

const (
	// calibrateSends bounds the packets spent on one calibration.
	calibrateSends = 64
	// calibrateEqual is how many equal steps in a row are believed.
	calibrateEqual = 3
	// calibrateDrain bounds the wait until the charge is gone afterwards.
	calibrateDrain = 2 * time.Second
)

// Errors of a calibration.
var (
	// ErrUneven: the charge did not grow by equal steps.
	ErrUneven = errors.New("the charge does not grow by equal steps")
	// ErrNotDrained: the packets held for the calibration did not go afterwards.
	ErrNotDrained = errors.New("the charge did not go back to 0")
)

// Truesize sends packets one by one into a queue that lets nothing out, and
// returns the bytes each adds to the charge: the step seen three times running,
// within 64 packets. The first packets may pass the queue.
func Truesize(send func() error, charge func() (uint32, error)) (int64, error) {
	before, err := charge()
	if err != nil {
		return 0, err
	}
	var step int64
	equal := 0
	for n := 1; n <= calibrateSends; n++ {
		if err := send(); err != nil {
			return 0, fmt.Errorf("send packet %d of a calibration: %w", n, err)
		}
		after, err := charge()
		if err != nil {
			return 0, err
		}
		if Saturated(after) {
			return 0, fmt.Errorf("calibrate: the counter reads 0x%08X, taken below zero", after)
		}
		if grown := int64(after) - int64(before); grown > 0 && grown == step {
			equal++
		} else {
			step, equal = grown, 1
		}
		if equal == calibrateEqual && step > 0 {
			return step, nil
		}
		before = after
	}
	return 0, fmt.Errorf("calibrate with %d packets: %w", calibrateSends, ErrUneven)
}

// Calibrate measures the truesize of one packet on this kernel, and says how.
// It works in the calling process's network namespace: for the time, lo is up,
// has the mtu of the link under test (so that packets are cut up alike) and a
// queue that lets nothing out. size is the IP packet's length in bytes; send
// sends one packet by lo; charge reads the sender's socket, which must have
// nothing charged.
//
// may says whether a qdisc of that kind (tbf, plug) may be made here; nil for any.
//
// The figure is of a device with lo's headroom. One that wants more (a tunnel)
// may cost the next size of the allocator.
func Calibrate(size, mtu int, may func(qdisc string) error, send func() error, charge func() (uint32, error)) (truesize int64, by string, err error) {
	lo, err := holdLoopback(size, mtu, may)
	if err != nil {
		return 0, "", fmt.Errorf("calibrate: %w", err)
	}
	truesize, err = Truesize(send, charge)
	if err := errors.Join(err, lo.release()); err != nil {
		return 0, "", err
	}
	if err := drainedBy(time.Now().Add(calibrateDrain), charge); err != nil {
		return 0, "", err
	}
	return truesize, lo.by, nil
}

func drainedBy(deadline time.Time, charge func() (uint32, error)) error {
	for {
		left, err := charge()
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("calibrate: %w within %s: %d bytes are left", ErrNotDrained, calibrateDrain, left)
		}
		time.Sleep(time.Millisecond)
	}
}
