// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The rule drops what it is to drop and nothing else, counts it, and is gone with
// its descriptor.
func TestDropRule(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	linkUp(t, s, "v0", "10.9.9.1/24")
	snd := newSender(t, s, "v0")
	open := func(link string, uid uint32, protocol uint8) (d *DropRule) {
		err := s.quick(func() (err error) {
			d, err = OpenDropRule(link, uid, protocol)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	dropped := func(d *DropRule) (n uint64) {
		if err := s.quick(func() (err error) { n, err = d.Dropped(); return err }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		link     string
		uid      uint32
		protocol uint8
		want     uint64
	}{
		{"v0", 0, 89, 5}, {"v1", 0, 89, 0}, {"v0", 4711, 89, 0}, {"v0", 0, 1, 0},
	} {
		d := open(c.link, c.uid, c.protocol)
		answers := snd.send(5, false)
		if got := dropped(d); got != c.want || answers[unix.EPERM] != int(c.want) {
			t.Errorf("%+v: %d packets dropped, the sender was told %v", c, got, answers)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if answers := snd.send(5, false); answers[nil] != 5 {
		t.Errorf("without a rule the sender was told %v", answers)
	}
}
