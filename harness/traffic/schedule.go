// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"fmt"
	"math"
	"time"

	"skleak/scenarios"
)

// Schedule says when each packet is due. Every deadline is computed from the
// start, so lateness does not add up.
type Schedule struct {
	// tick is nanoseconds between bursts; 0 is as fast as can be.
	tick  float64
	burst int
}

// NewSchedule paces rate packets per second in bursts. A rate of 0 makes all due
// at once; else it is scenarios.MinRate to MaxRate. A burst of 0 is 1.
func NewSchedule(rate float64, burst int) (Schedule, error) {
	if burst < 0 || burst > scenarios.MaxCount {
		return Schedule{}, fmt.Errorf("bursts of %d packets: give 1 to %d", burst, scenarios.MaxCount)
	}
	burst = max(burst, 1)
	if rate == 0 {
		return Schedule{burst: burst}, nil
	}
	// NB: written so that NaN is refused too.
	if !(rate >= scenarios.MinRate && rate <= scenarios.MaxRate) {
		return Schedule{}, fmt.Errorf("a rate of %v packets per second: give %v to %d, or max", rate, scenarios.MinRate, scenarios.MaxRate)
	}
	return Schedule{tick: float64(burst) / rate * float64(time.Second), burst: burst}, nil
}

// Paced reports whether packets have to wait for their time.
func (s Schedule) Paced() bool { return s.tick > 0 }

// Deadline is when packet i, counted from 0, is due after the start; the
// longest Duration where that would overflow.
func (s Schedule) Deadline(i int) time.Duration {
	at := math.Ceil(float64(i/s.burst) * s.tick)
	if at >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(at)
}

// Due is how many packets are due once elapsed has passed since the start.
func (s Schedule) Due(elapsed time.Duration) int {
	if !s.Paced() {
		return math.MaxInt
	}
	due := (math.Floor(float64(elapsed)/s.tick) + 1) * float64(s.burst)
	if due >= math.MaxInt {
		return math.MaxInt
	}
	return max(int(due), 0)
}
