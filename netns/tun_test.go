// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

func TestTunReaders(t *testing.T) {
	for _, tap := range []bool{false, true} {
		for _, c := range []struct {
			name   string
			reader scenarios.Reader
			queues int
			sent   int
			// least and most packets read before drain.
			least, most int
		}{
			{name: "none", sent: 700, least: 0, most: 0},
			{name: "drain", reader: scenarios.Reader{Mode: scenarios.ReaderDrain}, sent: 400, least: 400, most: 400},
			{name: "stop", reader: scenarios.Reader{Mode: scenarios.ReaderStop, After: 7}, sent: 100, least: 7, most: 7},
			{name: "stop at two queues", reader: scenarios.Reader{Mode: scenarios.ReaderStop, After: 7}, queues: 2, sent: 100, least: 7, most: 7},
			{name: "slow", reader: scenarios.Reader{Mode: scenarios.ReaderSlow, PPS: 0.01}, sent: 100, least: 1, most: 1},
			{name: "slow, quick", reader: scenarios.Reader{Mode: scenarios.ReaderSlow, PPS: 20000}, sent: 100, least: 100, most: 100},
		} {
			t.Run(tunKind(tap)+"/"+c.name, func(t *testing.T) {
				s := emptySpace(t)
				tun, err := openTun(s, scenarios.Common{Name: "q0"}, scenarios.TunOptions{Reader: c.reader, Queues: c.queues}, tap)
				if err != nil {
					t.Fatal(err)
				}
				defer closeAfter(t, tun)
				linkUp(t, s, "q0", "10.9.9.1/24")
				snd := newSender(t, s, "q0")
				snd.send(c.sent, false)
				within(t, "packets read", func() bool { return tun.packets() >= c.least })
				if got := tun.packets(); got > c.most {
					t.Errorf("%d packets read, at most %d allowed", got, c.most)
				}
				if got := snd.charge(); got != 0 {
					t.Errorf("%d bytes are charged, a TUN orphans what it queues", got)
				}
				// A TUN's ring takes 500 (tx_queue_len); what comes later is dropped.
				if err := tun.drain(); err != nil {
					t.Fatal(err)
				}
				if err := tun.drain(); err != nil {
					t.Fatal(err)
				}
				within(t, "rest read", func() bool { return tun.packets() >= min(c.sent, 500) })
			})
		}
	}
}

func TestTunIsGoneAfterClose(t *testing.T) {
	s := emptySpace(t)
	left := openedBy(t, func() {
		tun, err := openTun(s, scenarios.Common{Name: "q0"}, scenarios.TunOptions{Queues: 3, Reader: scenarios.Reader{Mode: scenarios.ReaderDrain}}, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tun.files {
			raw, err := f.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			_ = raw.Control(func(fd uintptr) {
				if flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("%s: not close-on-exec (flags %#x, %v)", f.Name(), flags, err)
				}
			})
		}
		for range 2 {
			if err := tun.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := tun.drain(); err != nil {
			t.Errorf("drain after Close: %v", err)
		}
	})
	if left != 0 {
		t.Errorf("%d descriptors left", left)
	}
	if _, err := s.nl.LinkByName("q0"); err == nil {
		t.Error("q0 is still there")
	}
}

func TestTunLinkDeletedUnderReader(t *testing.T) {
	s := emptySpace(t)
	tun, err := openTun(s, scenarios.Common{Name: "q0"}, scenarios.TunOptions{Reader: scenarios.Reader{Mode: scenarios.ReaderDrain}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.nl.LinkDel(linkUp(t, s, "q0", "")); err != nil {
		t.Fatal(err)
	}
	if err := tun.Close(); err != nil {
		t.Error(err)
	}
}

func TestTunRefusals(t *testing.T) {
	s := emptySpace(t)
	taken, err := openTun(s, scenarios.Common{Name: "taken"}, scenarios.TunOptions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAfter(t, taken)
	for _, c := range []struct {
		name, link, want string
		o                scenarios.TunOptions
	}{
		{name: "long name", link: "a234567890123456", want: "at most 15"},
		{name: "empty name", want: "empty"},
		{name: "template", link: "tun%d", want: "no interface name"},
		{name: "slash", link: "a/b", want: "no interface name"},
		{name: "taken", link: "taken", want: "there already"},
		{name: "taken by another kind", link: "lo", want: "TUNSETIFF"},
		{name: "too many queues", link: "q0", o: scenarios.TunOptions{Queues: 257}, want: "1 to 256"},
		{name: "slow reader without speed", link: "q0", o: scenarios.TunOptions{Reader: scenarios.Reader{Mode: scenarios.ReaderSlow}}, want: "above 0"},
		{name: "odd reader", link: "q0", o: scenarios.TunOptions{Reader: scenarios.Reader{Mode: "fast"}}, want: "none, drain, slow, stop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := openedBy(t, func() {
				tun, err := openTun(s, scenarios.Common{Name: c.link}, c.o, false)
				if err == nil {
					_ = tun.Close()
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q, want one line with %q", err, c.want)
				}
			})
			if left != 0 {
				t.Errorf("%d descriptors left", left)
			}
			if _, err := s.nl.LinkByName("q0"); err == nil {
				t.Error("q0 was left behind")
			}
		})
	}
}

// A kernel without IFF_BACKPRESSURE ignores it in silence, so it must be told
// before anything is built on it.
func TestTunBackpressure(t *testing.T) {
	s := emptySpace(t)
	tun, err := openTun(s, scenarios.Common{Name: "q0"}, scenarios.TunOptions{Backpressure: true}, false)
	fd, openErr := openTunDevice()
	if openErr != nil {
		t.Fatal(openErr)
	}
	have, featuresErr := tunFeatures(fd)
	if err := unix.Close(fd); err != nil {
		t.Error(err)
	}
	if featuresErr != nil {
		t.Fatal(featuresErr)
	}
	if have&iffBackpressure != 0 {
		if err != nil {
			t.Fatal(err)
		}
		_ = tun.Close()
		return
	}
	var missing *record.UnsupportedError
	if !errors.As(err, &missing) || missing.Feature != "IFF_BACKPRESSURE" {
		t.Fatalf("error %v, want IFF_BACKPRESSURE as unsupported", err)
	}
	if _, err := s.nl.LinkByName("q0"); err == nil {
		t.Error("q0 was left behind")
	}
}
