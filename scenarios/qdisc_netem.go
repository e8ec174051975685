// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"time"
)

// maxNetemDelay is about what tc's 32-bit microseconds hold.
const maxNetemDelay = time.Hour

// NetemOptions are the options of netem.
type NetemOptions struct {
	// Delay and Jitter are at most an hour.
	Delay  time.Duration
	Jitter time.Duration
	// Loss in percent, 0 to 100.
	Loss float64
	// Rate in bits per second; 0 for none.
	Rate uint64
	// Limit in packets; 0 leaves the kernel's 1000.
	Limit int
}

// Netem is the record of the kind.
func (qdiscTable) Netem() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "netem", About: "delays, loses and paces", Config: []string{"CONFIG_NET_SCH_NETEM"}, Modules: []string{"sch_netem"}},
		options: func() QdiscOptions { return &NetemOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*NetemOptions) Kind() string { return "netem" }

// Check implements QdiscOptions.
func (o *NetemOptions) Check() error {
	if o.Delay < 0 || o.Delay > maxNetemDelay {
		return wrong("delay", fmt.Sprintf("delay %v", o.Delay), "give 0s to 1h")
	}
	if o.Jitter < 0 || o.Jitter > maxNetemDelay {
		return wrong("jitter", fmt.Sprintf("jitter %v", o.Jitter), "give 0s to 1h")
	}
	if !within(o.Loss, 0, 100) {
		return wrong("loss", fmt.Sprintf("loss of %v percent", o.Loss), "give 0 to 100")
	}
	return notNegative("limit", o.Limit)
}

func (o *NetemOptions) fields() []field {
	return []field{
		{"delay", span(&o.Delay)},
		{"jitter", span(&o.Jitter)},
		{"loss", number(&o.Loss)},
		{"rate", bitrate(&o.Rate)},
		{"limit", whole(&o.Limit)},
	}
}
