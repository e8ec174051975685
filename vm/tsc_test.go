// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"testing"
	"time"
)

func TestKiloHertz(t *testing.T) {
	began := time.Now()
	at := func(after time.Duration, ticks uint64, took time.Duration) moment {
		return moment{began.Add(after), ticks, took}
	}
	const quick, span = 100 * time.Nanosecond, 10 * time.Millisecond
	tests := []struct {
		name        string
		first, last moment
		want        uint64
	}{
		{"2.6 GHz", at(0, 1000, quick), at(span, 26_001_000, quick), 2_600_000},
		{"slept long", at(0, 0, quick), at(2*time.Second, 5_200_000_000, quick), 2_600_000},
		{"interrupted at first", at(0, 1000, time.Millisecond), at(span, 26_001_000, quick), 0},
		{"interrupted at last", at(0, 1000, quick), at(span, 26_001_000, time.Millisecond), 0},
		{"too near", at(0, 1000, quick), at(time.Millisecond, 2_601_000, quick), 0},
		{"goes back", at(0, 1000, quick), at(span, 900, quick), 0},
		{"none", at(0, 0, quick), at(span, 0, quick), 0},
		{"too slow", at(0, 0, quick), at(span, 1000, quick), 0},
		{"too fast", at(0, 0, quick), at(span, 1<<60, quick), 0},
	}
	for _, tt := range tests {
		if got := kiloHertz(tt.first, tt.last); got != tt.want {
			t.Errorf("%s: %d kHz, want %d", tt.name, got, tt.want)
		}
	}
}

// What is measured twice is the same, to a hundredth: else a guest would take
// no correction of its own (tsc_refine_calibration_work).
func TestHostTSC(t *testing.T) {
	if !constantTSC() {
		t.Skip("this machine's time stamp counter is not constant")
	}
	var rates []uint64
	for range 20 {
		if khz := hostTSC(); khz > 0 {
			rates = append(rates, khz)
		}
	}
	for _, khz := range rates {
		if d := int64(khz) - int64(rates[0]); d > int64(rates[0])/100 || -d > int64(rates[0])/100 {
			t.Errorf("%d kHz, then %d", rates[0], khz)
		}
	}
	t.Logf("%d kHz", rates)
}
