// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"math"
	"testing"
	"time"

	"skleak/scenarios"
)

func TestDeadlines(t *testing.T) {
	tests := []struct {
		name  string
		rate  float64
		burst int
		i     int
		want  time.Duration
	}{
		{"first", 10, 1, 0, 0},
		{"constant", 10, 1, 7, 700 * time.Millisecond},
		{"one in ten seconds", 0.1, 0, 3, 30 * time.Second},
		{"slowest", scenarios.MinRate, 1, 2, 200 * time.Second},
		{"fastest", scenarios.MaxRate, 1, 10_000_000, time.Second},
		{"thirds add no drift", 3, 1, 3_000_000, 1_000_000 * time.Second},
		{"inside a burst", 100, 10, 9, 0},
		{"next burst", 100, 10, 10, 100 * time.Millisecond},
		{"a day at full speed", scenarios.MaxRate, 1, scenarios.MaxRate * 86400, 24 * time.Hour},
		{"past the end of time", scenarios.MinRate, 1, math.MaxInt, math.MaxInt64},
		{"one huge burst", scenarios.MinRate, scenarios.MaxCount, scenarios.MaxCount, math.MaxInt64},
		{"unpaced", 0, 1, 1 << 40, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewSchedule(tt.rate, tt.burst)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Deadline(tt.i); got != tt.want {
				t.Errorf("packet %d is due at %s, want %s", tt.i, got, tt.want)
			}
		})
	}
}

func TestDue(t *testing.T) {
	tests := []struct {
		name    string
		rate    float64
		burst   int
		elapsed time.Duration
		want    int
	}{
		{"at the start", 10, 1, 0, 1},
		{"just before the second", 10, 1, 100*time.Millisecond - 1, 1},
		{"at the second", 10, 1, 100 * time.Millisecond, 2},
		{"bursts", 100, 10, 250 * time.Millisecond, 30},
		{"before the start", 10, 1, -time.Second, 0},
		{"unpaced", 0, 1, 0, math.MaxInt},
		{"end of time", scenarios.MaxRate, scenarios.MaxCount, math.MaxInt64, 92233720400000000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewSchedule(tt.rate, tt.burst)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Due(tt.elapsed); got != tt.want {
				t.Errorf("%d due after %s, want %d", got, tt.elapsed, tt.want)
			}
		})
	}
}

func TestScheduleRefuses(t *testing.T) {
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1), math.Inf(-1), scenarios.MinRate / 2, scenarios.MaxRate * 1.01, math.SmallestNonzeroFloat64} {
		if _, err := NewSchedule(rate, 1); err == nil {
			t.Errorf("a rate of %v was taken", rate)
		}
	}
	for _, burst := range []int{-1, scenarios.MaxCount + 1} {
		if _, err := NewSchedule(1, burst); err == nil {
			t.Errorf("a burst of %d was taken", burst)
		}
	}
}

// FuzzSchedule: deadlines never go back, and at its deadline a packet is due.
func FuzzSchedule(f *testing.F) {
	f.Add(43.0, 1, 1000)
	f.Add(0.01, 64, math.MaxInt-1)
	f.Fuzz(func(t *testing.T, rate float64, burst, i int) {
		s, err := NewSchedule(rate, burst)
		if err != nil || i < 0 || i == math.MaxInt {
			return
		}
		at, next := s.Deadline(i), s.Deadline(i+1)
		if at < 0 || next < at {
			t.Errorf("packet %d at %d, the next at %d", i, at, next)
		}
		// Past 2^52 ns a float64 no longer has every nanosecond.
		if at < 1<<52 && s.Due(at+1) <= i {
			t.Errorf("packet %d at %d: only %d due", i, at, s.Due(at+1))
		}
	})
}
