// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"time"

	"skleak/harness/traffic"
)

// mostResumes bounds how often a sender that had given up goes on.
const mostResumes = 40

// settleAndResume waits out the settling window. Where the sender had given up
// on a full socket and by then all was let go of, it goes on: whoever should
// have let go (an NFQUEUE listener, a reader) had no processor, and packets
// that were never sent prove nothing.
func (x *Experiment) settleAndResume(ctx context.Context, s *sending) error {
	for round := 0; ; round++ {
		began := time.Now()
		r, err := settle(ctx, s, x.o.Settle)
		if err != nil {
			return err
		}
		x.trace.Settle, x.trace.SettleNs = r, time.Since(began).Nanoseconds()
		if round == mostResumes || !free(r) || x.unsent() == 0 {
			return nil
		}
		if err := x.goOn(ctx, s); err != nil {
			return err
		}
	}
}

// unsent is how many packets a sender that gave up has left.
func (x *Experiment) unsent() int {
	if x.stats.Stopped != traffic.ByStall || x.sc.Traffic.Count == 0 {
		return 0
	}
	tried := x.stats.Sent
	for _, n := range x.stats.Refused {
		tried += n
	}
	return max(x.sc.Traffic.Count-tried, 0)
}

func (x *Experiment) goOn(ctx context.Context, s *sending) error {
	plan := x.plan()
	plan.Count = x.unsent()
	stop := s.sample()
	more, err := s.stream.Run(ctx, plan, s)
	if err := errors.Join(err, stop(), s.err); err != nil {
		return err
	}
	stats := x.stats
	addStats(&stats, more)
	stats.Stopped = more.Stopped
	x.keepStats(stats)
	return nil
}
