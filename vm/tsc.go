// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"slices"
	"time"

	"github.com/prometheus/procfs"
)

// Without KVM a guest's time stamp counter is this machine's. A guest that has
// to measure it against its emulated timers finds what a loaded machine lets
// it, and believes that: in one all deadlines, of a minute and more, passed
// within 37 s. It is told instead (tsc_early_khz, arch/x86/kernel/tsc.c), which
// 5.10 understands already.

const (
	// tscSpan is how long the counter is measured.
	tscSpan = 10 * time.Millisecond
	// tscTries is how many readings are made of which the quickest counts.
	tscTries = 20
	// tscSlack is the most a reading may take: it bounds the error to a thousandth.
	tscSlack = tscSpan / 1000
)

// The counters of machines that run Linux on x86-64, in kHz.
const (
	slowestTSC = 100_000
	fastestTSC = 100_000_000
)

// hostTSC is how fast this machine's time stamp counter runs, in kHz; 0 where
// it is not constant, or the machine too busy to tell.
func hostTSC() uint64 {
	if !constantTSC() {
		return 0
	}
	first := readMoment(readTSC)
	time.Sleep(tscSpan)
	return kiloHertz(first, readMoment(readTSC))
}

// constantTSC is whether the counter runs alike on all processors at all times.
func constantTSC() bool {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return false
	}
	cpus, err := fs.CPUInfo()
	return err == nil && len(cpus) > 0 && !slices.ContainsFunc(cpus, func(c procfs.CPUInfo) bool {
		return !slices.Contains(c.Flags, "constant_tsc") || !slices.Contains(c.Flags, "nonstop_tsc")
	})
}

// moment is the counter at a time. It was read within took.
type moment struct {
	at    time.Time
	ticks uint64
	took  time.Duration
}

// readMoment makes several readings and gives the quickest: the others were
// interrupted.
func readMoment(ticks func() uint64) moment {
	var best moment
	for i := range tscTries {
		before := time.Now()
		m := moment{at: before, ticks: ticks()}
		m.took = time.Since(before)
		if i == 0 || m.took < best.took {
			best = m
		}
	}
	return best
}

// kiloHertz is the rate between two moments; 0 for what is no counter's, or was
// not read well enough.
func kiloHertz(first, last moment) uint64 {
	span := last.at.Sub(first.at)
	if span < tscSpan/2 || max(first.took, last.took) > tscSlack || last.ticks <= first.ticks {
		return 0
	}
	khz := uint64(float64(last.ticks-first.ticks) / span.Seconds() / 1000)
	if khz < slowestTSC || khz > fastestTSC {
		return 0
	}
	return khz
}
