// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// recorder notes when each packet had been taken.
type recorder struct {
	epoch time.Time
	at    []time.Duration
}

func (r *recorder) Sent(n int) {
	r.at = append(r.at, slices.Repeat([]time.Duration{time.Since(r.epoch)}, n)...)
}
func (r *recorder) Blocked() {}

func (r *recorder) Waiting() {}

func (r *recorder) Charged(int, uint32) {}

// TestNeverEarly: whatever else the machine does, no packet goes before its time.
func TestNeverEarly(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	for _, style := range []string{scenarios.StylePollFirst, scenarios.StyleSendFirst} {
		for _, plan := range []Plan{{Rate: 100, Count: 20}, {Rate: 5000, Count: 500}, {Rate: 200_000, Count: 20_000}, {Rate: 1000, Burst: 100, Count: 250}} {
			s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{link}}, false)
			seen := &recorder{epoch: time.Now()}
			plan.Style, plan.Epoch = style, seen.epoch
			stats, err := s.Run(t.Context(), plan, seen)
			if err != nil || stats.Sent != plan.Count || len(seen.at) != plan.Count {
				t.Fatalf("%+v, %v, %d seen", stats, err, len(seen.at))
			}
			schedule, err := NewSchedule(plan.Rate, plan.Burst)
			if err != nil {
				t.Fatal(err)
			}
			for i, at := range seen.at {
				if due := time.Duration(stats.StartNs) + schedule.Deadline(i); at < due {
					t.Errorf("%+v: packet %d went at %s, due at %s", plan, i, at, due)
				}
			}
		}
	}
}

// TestTimesCountFromTheEpoch: first and last send lie where they should.
func TestTimesCountFromTheEpoch(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	s := mustOpen(t, Config{Socket: scenarios.SocketRaw, Spec: mustLookup(t, "vrrp"), Targets: []Target{link}}, false)
	stats := mustRun(t, s, Plan{Count: 10, Epoch: time.Now().Add(-time.Hour)})
	if stats.StartNs < int64(time.Hour) || stats.FirstSendNs < stats.StartNs || stats.LastSendNs < stats.FirstSendNs {
		t.Errorf("%+v", stats)
	}
}

func TestTimerSlackIsGivenBack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slack := func() int {
		n, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := slack()
	restore := precise()
	if got := slack(); got != 1 {
		t.Errorf("timer slack of %d ns while pacing", got)
	}
	restore()
	if got := slack(); got != before {
		t.Errorf("timer slack of %d ns after, %d before", got, before)
	}
}
