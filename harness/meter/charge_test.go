// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSaturated(t *testing.T) {
	tests := map[uint32]bool{
		0: false, 832: false, 212992: false, 0x7FFFFFFF: false,
		0x80000000: true, 0xBFFFFFFF: true, 0xC0000000: true, 0xFFFF4600: true,
	}
	for charge, want := range tests {
		if got := Saturated(charge); got != want {
			t.Errorf("Saturated(0x%08X) = %t", charge, got)
		}
	}
}

// fill sends until poll says not writable, into a queue that holds.
func (s *sender) fill() (packets int, err error) {
	for packets = 0; packets < 1000; packets++ {
		writable, err := Writable(s.fd)
		if err != nil || !writable {
			return packets, err
		}
		if err := s.send(); err != nil {
			return packets, err
		}
	}
	return packets, errors.New("1000 packets did not fill the socket")
}

// held runs f with a sender whose packets stay in a queue on lo.
func held(t *testing.T, f func(*sender, *heldLoopback) error) {
	t.Helper()
	inSpace(t, func() error {
		lo, err := holdLoopback(68, 1500, nil)
		if err != nil {
			return err
		}
		s, err := newSender(68)
		if err != nil {
			return err
		}
		return errors.Join(f(s, lo), s.close())
	})
}

// All ways show the same charge, and the socket falls silent when it reaches
// the half of the send buffer, the packet that passed not counted.
func TestChargeOfFullSocket(t *testing.T) {
	held(t, func(s *sender, lo *heldLoopback) error {
		packets, err := s.fill()
		if err != nil {
			return err
		}
		info, err := ReadMemInfo(s.fd)
		if err != nil {
			return err
		}
		if half := info.SndBuf / 2; info.WmemAlloc+1 < half || info.WmemAlloc+1 >= half+832 {
			t.Errorf("unwritable after %d packets at %d of %d", packets, info.WmemAlloc, info.SndBuf)
		}
		inode, err := Inode(s.fd)
		if err != nil {
			return err
		}
		ways := CrossCheck(s.fd, inode)
		for _, way := range []string{WayMemInfo, WayOutQueue, WayProcRaw} {
			if ways[way] != int64(info.WmemAlloc) {
				t.Errorf("%s shows %d, not %d", way, ways[way], info.WmemAlloc)
			}
		}
		if err := lo.release(); err != nil {
			return err
		}
		charge, err := Charge(s.fd)
		if err != nil || charge != 0 {
			t.Errorf("charge = %d, %v after the queue went", charge, err)
		}
		writable, err := Writable(s.fd)
		if err != nil || !writable {
			t.Errorf("Writable = %t, %v after the queue went", writable, err)
		}
		return nil
	})
}

func TestCrossCheckDoors(t *testing.T) {
	inSpace(t, func() error {
		for _, s := range socketsUnderTest() {
			fd, _, err := s.open(68)
			if err != nil {
				return err
			}
			if s.name == "udp" {
				// NB: an unbound UDP socket is in no table of /proc.
				if err := unix.Bind(fd, &unix.SockaddrInet4{}); err != nil {
					return err
				}
			}
			inode, err := Inode(fd)
			if err != nil {
				return err
			}
			for way, bytes := range CrossCheck(fd, inode) {
				shut := way == WayProcRaw && (s.name == "packet" || s.name == "packet-dgram")
				if want := map[bool]int64{true: -1, false: 0}[shut]; bytes != want {
					t.Errorf("%s: %s shows %d, want %d", s.name, way, bytes, want)
				}
			}
			if err := unix.Close(fd); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestChargeOfNoSocket(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if _, err := Charge(p[0]); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("the charge of a pipe: %v", err)
	}
	if err := errors.Join(unix.Close(p[0]), unix.Close(p[1])); err != nil {
		t.Fatal(err)
	}
	if _, err := Writable(p[0]); !errors.Is(err, unix.EBADF) {
		t.Errorf("poll of a closed fd: %v", err)
	}
	if _, err := Inode(p[0]); !errors.Is(err, unix.EBADF) {
		t.Errorf("inode of a closed fd: %v", err)
	}
}

func TestSocketsUsed(t *testing.T) {
	inSpace(t, func() error {
		before, err := SocketsUsed()
		if err != nil {
			return err
		}
		s, err := newSender(68)
		if err != nil {
			return err
		}
		with, err := SocketsUsed()
		if err := errors.Join(err, s.close()); err != nil {
			return err
		}
		after, err := SocketsUsed()
		if with != before+1 || after != before {
			t.Errorf("used = %d, %d with one more, %d after", before, with, after)
		}
		return err
	})
}

// A closed socket stays counted while a queue holds its skb.
func TestSocketsUsedSeesPinned(t *testing.T) {
	inSpace(t, func() error {
		lo, err := holdLoopback(68, 1500, nil)
		if err != nil {
			return err
		}
		before, err := SocketsUsed()
		if err != nil {
			return err
		}
		s, err := newSender(68)
		if err != nil {
			return err
		}
		_, err = s.fill()
		if err := errors.Join(err, s.close()); err != nil {
			return err
		}
		pinned, err := SocketsUsed()
		if err := errors.Join(err, lo.release()); err != nil {
			return err
		}
		if pinned != before+1 {
			t.Errorf("used = %d, %d while pinned", before, pinned)
		}
		// NB: a closed netlink socket, here that of lo, stays counted until its RCU
		// callback ran (net/netlink/af_netlink.c, netlink_release).
		after := pinned
		if !until(func() bool { after, err = SocketsUsed(); return err != nil || after < before }) {
			t.Errorf("used = %d, %d after the release", before, after)
		}
		return err
	})
}
