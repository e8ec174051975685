// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"testing"
	"time"

	"skleak/scenarios"
)

// Every scenario of the catalogue can be built, lets go of what a raw socket
// sends by the end of its ladder, and leaves nothing.
func TestCatalogue(t *testing.T) {
	catalogue, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range catalogue {
		t.Run(s.Name, func(t *testing.T) {
			if s.Lasting {
				t.Skip("may lose kernel memory for good")
			}
			if s.IPv6 {
				ipv6OnAgain(t)
			}
			w := build(t, s)
			snd := newSender(t, w.spaces[0], s.Traffic.Via[0])
			snd.send(100, false)
			if _, err := w.State("held"); err != nil {
				t.Error(err)
			}
			steps, err := w.Steps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before := snd.charge()
			for _, step := range steps {
				if err := step.Do(t.Context()); err != nil {
					t.Errorf("%s %s: %v", step.Rung, step.On, err)
				}
				// NB: some of what a step frees goes by work queues.
				time.Sleep(time.Millisecond)
				if after := snd.charge(); after != before {
					t.Logf("%s %s: %d -> %d", step.Rung, step.On, before, after)
					before = after
				}
			}
			within(t, "charge gone after the last step", func() bool { return snd.charge() == 0 })
		})
	}
}
