// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"fmt"
	"slices"
	"time"

	"skleak/scenarios"
)

// DefaultBlockLimit is how long a socket may stay full before it counts as stalled.
const DefaultBlockLimit = 250 * time.Millisecond

// Plan says how much to send, and when.
type Plan struct {
	// Rate is packets per second over all links, scenarios.MinRate to MaxRate; 0
	// is as fast as can be.
	Rate float64
	// Burst is how many packets go back to back at each tick; 0 and 1 are
	// constant pacing.
	Burst int
	// Count bounds the packets tried, taken or refused, over all sockets, each of
	// which has an equal part of it; 0 where Duration bounds.
	Count int
	// Duration bounds the time; 0 where Count bounds.
	Duration time.Duration
	// Style is scenarios.StylePollFirst, the default, or StyleSendFirst.
	Style string
	// BlockLimit is how long a socket may stay full without a pause before it is
	// given up as stalled; 0 is DefaultBlockLimit.
	BlockLimit time.Duration
	// Backoff rests 200 µs after each 64 refusals in a row, so that an overload
	// that passes is not counted over and over.
	Backoff bool
	// Epoch is what Stats counts time from; the zero Time is the start of Run.
	Epoch time.Time
}

// check fills in the defaults and refuses what cannot be meant.
func (p Plan) check() (Plan, error) {
	if p.Style == "" {
		p.Style = scenarios.StylePollFirst
	}
	if p.BlockLimit == 0 {
		p.BlockLimit = DefaultBlockLimit
	}
	switch {
	case !slices.Contains([]string{scenarios.StylePollFirst, scenarios.StyleSendFirst}, p.Style):
		return p, fmt.Errorf("unknown style of sending %q: use %s or %s", p.Style, scenarios.StylePollFirst, scenarios.StyleSendFirst)
	case p.Count < 0 || p.Count > scenarios.MaxCount:
		return p, fmt.Errorf("a count of %d packets: give 1 to %d", p.Count, scenarios.MaxCount)
	case p.Duration < 0:
		return p, fmt.Errorf("a duration of %s: give one above 0", p.Duration)
	case p.Count == 0 && p.Duration == 0:
		return p, fmt.Errorf("traffic without an end: give a count or a duration")
	case p.BlockLimit < 0:
		return p, fmt.Errorf("a block limit of %s: give one above 0", p.BlockLimit)
	}
	return p, nil
}
