// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"skleak/record"
	"skleak/record/kerneltest"
)

func TestHiddenBy(t *testing.T) {
	tests := []struct {
		name     string
		seen     []idleCount
		unproven []int
		want     string
	}{
		{name: "nothing slept", seen: []idleCount{{cpu: 0}, {cpu: 1}}},
		{name: "all wake", seen: []idleCount{{0, 500, 499}, {1, 7, 8}}},
		{name: "asleep for the first time", seen: []idleCount{{0, 1, 0}}},
		{name: "never wakes", seen: []idleCount{{0, 40, 39}, {1, 3, 0}}, want: "processor 1 slept 3 times"},
		{name: "unproven, and kept awake", seen: []idleCount{{1, 0, 0}}, unproven: []int{1}},
		{name: "unproven, and sees", seen: []idleCount{{1, 5, 4}}, unproven: []int{1}},
		{name: "unproven, and slept all the same", seen: []idleCount{{1, 1, 0}}, unproven: []int{0, 1}, want: "processor 1 slept 1 times"},
		{name: "two", seen: []idleCount{{2, 9, 0}, {3, 8, 0}}, want: "processor 3 slept 8 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := hiddenBy(tt.seen, tt.unproven)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever naps on a processor makes it sleep, or it had other things to do.
func TestSightOfThisMachine(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("perf events of the whole machine: run as root")
	}
	formats, err := readFormats()
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		kerneltest.SkipOrFail(t, traceable(), err)
	}
	cpus, cpusErr := onlineCPUs()
	if err := errors.Join(err, cpusErr); err != nil {
		t.Fatal(err)
	}
	s, err := openIdleWatches(cpus, formats)
	if err != nil {
		t.Fatal(err)
	}
	unproven, blind, err := s.test()
	seen, lookErr := s.look()
	if err := errors.Join(err, lookErr, s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, g := range seen {
		if slices.Contains(blind, g.cpu) && !slices.Contains(unproven, g.cpu) {
			t.Errorf("processor %d is blind and proven", g.cpu)
		}
		if g.to > g.from+1 && g.from > 0 {
			t.Errorf("processor %d slept %d times and woke %d times", g.cpu, g.to, g.from)
		}
	}
	t.Logf("%+v; unproven %v, blind %v", seen, unproven, blind)
}

// traceable is what the ledger wants of a kernel at least (docs/ledger.md).
func traceable() kerneltest.Feature {
	return kerneltest.Feature{Since: "5.1", Options: []string{"PERF_EVENTS", "TRACEPOINTS", "EVENT_TRACING"}}
}
