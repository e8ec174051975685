// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"testing"

	"skleak/scenarios"
)

func TestPacketSocket(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	snd := newSender(t, s, "v0")
	left := openedBy(t, func() {
		unread, err := openPacketSocket(s, "v1", scenarios.UnreadPacketSocket)
		if err != nil {
			t.Fatal(err)
		}
		drained, err := openPacketSocket(s, "v1", scenarios.DrainPacketSocket)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere, err := openPacketSocket(s, "lo", scenarios.DrainPacketSocket)
		if err != nil {
			t.Fatal(err)
		}
		snd.send(100, false)
		within(t, "100 packets read", func() bool { return drained.packets() >= 100 })
		if got := unread.packets(); got != 0 {
			t.Errorf("%d packets read by nobody", got)
		}
		if err := unread.drain(); err != nil {
			t.Fatal(err)
		}
		within(t, "100 packets drained", func() bool { return unread.packets() >= 100 })
		if got := elsewhere.packets(); got != 0 {
			t.Errorf("%d packets of another link read", got)
		}
		// A link that went down and came back must not end the reader.
		if err := s.nl.LinkSetDown(linkUp(t, s, "v1", "")); err != nil {
			t.Fatal(err)
		}
		before := drained.packets()
		linkUp(t, s, "v1", "")
		within(t, "packets read after link down", func() bool {
			// The carrier comes in the kernel's own time.
			snd.send(1, false)
			return drained.packets() > before
		})
		for _, p := range []*packetSocket{unread, drained, elsewhere} {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if left != 0 {
		t.Errorf("%d descriptors left", left)
	}
}

func TestPacketSocketRefusals(t *testing.T) {
	s := emptySpace(t)
	for _, c := range []struct {
		link string
		mode scenarios.PacketSocket
	}{{"lo", ""}, {"lo", "loud"}, {"missing", scenarios.DrainPacketSocket}} {
		if p, err := openPacketSocket(s, c.link, c.mode); err == nil {
			_ = p.Close()
			t.Errorf("mode %q on %s taken", c.mode, c.link)
		}
	}
}
