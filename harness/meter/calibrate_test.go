// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestTruesize(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		// charges are the readings, the one before the first packet included;
		// the last goes on by the same step.
		charges []uint32
		step    uint32
		sendErr error
		want    int64
		wantErr error
	}{
		{name: "each step the same", charges: []uint32{0}, step: 832, want: 832},
		{name: "the first passes", charges: []uint32{0, 0}, step: 832, want: 832},
		{name: "something else is charged", charges: []uint32{1664}, step: 832, want: 832},
		{name: "two equal steps are not enough", charges: []uint32{0, 700, 1400, 2100 - 1}, step: 832, want: 832},
		{name: "nothing holds", charges: []uint32{0}, step: 0, wantErr: ErrUneven},
		{name: "sending fails", charges: []uint32{0}, step: 832, sendErr: boom, wantErr: boom},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sent := 0
			send := func() error { sent++; return test.sendErr }
			charge := func() (uint32, error) {
				last := len(test.charges) - 1
				if sent <= last {
					return test.charges[sent], nil
				}
				return test.charges[last] + uint32(sent-last)*test.step, nil
			}
			got, err := Truesize(send, charge)
			if !errors.Is(err, test.wantErr) || got != test.want {
				t.Errorf("Truesize = %d, %v; want %d, %v", got, err, test.want, test.wantErr)
			}
			if sent > calibrateSends {
				t.Errorf("%d packets spent", sent)
			}
		})
	}
}

func TestTruesizeSeesUnderflow(t *testing.T) {
	_, err := Truesize(func() error { return nil }, func() (uint32, error) { return 0xBFFFFFFF, nil })
	if err == nil || !strings.Contains(err.Error(), "0xBFFFFFFF") {
		t.Errorf("err = %v", err)
	}
}

// socketUnderTest is a way to send by lo.
type socketUnderTest struct {
	name string
	open func(size int) (fd int, send func() error, err error)
}

func socketsUnderTest() []socketUnderTest {
	inet := func(kind, proto int) func(int) (int, func() error, error) {
		return func(size int) (int, func() error, error) {
			fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, proto)
			if err != nil {
				return 0, nil, err
			}
			headers := 20
			if kind == unix.SOCK_DGRAM {
				headers = 28
			}
			to := &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 5}, Port: 5353}
			payload := make([]byte, size-headers)
			send := func() error { return unix.Sendto(fd, payload, unix.MSG_DONTWAIT, to) }
			return fd, send, unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: 1})
		}
	}
	packet := func(kind, header int) func(int) (int, func() error, error) {
		return func(size int) (int, func() error, error) {
			fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return 0, nil, err
			}
			to := &unix.SockaddrLinklayer{Ifindex: 1, Protocol: 0x0008, Halen: 6}
			frame := make([]byte, size+header)
			return fd, func() error { return unix.Sendto(fd, frame, unix.MSG_DONTWAIT, to) }, nil
		}
	}
	hdrincl := func(size int) (int, func() error, error) {
		s, err := newSender(size)
		if err != nil {
			return 0, nil, err
		}
		return s.fd, s.send, nil
	}
	return []socketUnderTest{
		{"hdrincl", hdrincl},
		{"raw", inet(unix.SOCK_RAW, 89)},
		{"udp", inet(unix.SOCK_DGRAM, 0)},
		{"packet", packet(unix.SOCK_RAW, loHeader)},
		{"packet-dgram", packet(unix.SOCK_DGRAM, 0)},
	}
}

func TestCalibrate(t *testing.T) {
	for _, s := range socketsUnderTest() {
		for _, size := range []int{44, 68, 500, 1500} {
			t.Run(fmt.Sprintf("%s/%d", s.name, size), func(t *testing.T) {
				inSpace(t, func() error { return calibrateOnce(t, s, size) })
			})
		}
	}
}

func calibrateOnce(t *testing.T, s socketUnderTest, size int) error {
	fd, send, err := s.open(size)
	if err != nil {
		return err
	}
	truesize, by, err := Calibrate(size, 1500, nil, send, func() (uint32, error) { return Charge(fd) })
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return err
	}
	t.Logf("%d bytes by %s", truesize, by)
	if truesize < int64(size) || truesize > 2*int64(size)+4096 {
		t.Errorf("truesize = %d for a packet of %d", truesize, size)
	}
	return loAsBefore()
}

// loAsBefore expects lo as a new namespace has it.
func loAsBefore() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if a := lo.Attrs(); a.MTU != 65536 || a.Flags&net.FlagUp != 0 {
		return fmt.Errorf("lo has mtu %d and flags %s, not what it had", a.MTU, a.Flags)
	}
	qdiscs, err := netlink.QdiscList(lo)
	if err != nil {
		return err
	}
	for _, q := range qdiscs {
		if q.Type() == "tbf" || q.Type() == "plug" {
			return fmt.Errorf("%s was left on lo", q.Type())
		}
	}
	return nil
}

// A packet that is cut up by the mtu is charged piece by piece.
func TestCalibrateFragments(t *testing.T) {
	for _, s := range socketsUnderTest()[1:3] {
		for _, size := range []int{4000, 20000} {
			t.Run(fmt.Sprintf("%s/%d", s.name, size), func(t *testing.T) {
				inSpace(t, func() error { return calibrateOnce(t, s, size) })
			})
		}
	}
}

func TestCalibrateRefusedMTU(t *testing.T) {
	inSpace(t, func() error {
		_, _, err := Calibrate(68, -1, nil, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "mtu") {
			t.Errorf("an absurd mtu gave %v", err)
		}
		return loAsBefore()
	})
}

// With loading refused a queue that is not there is not asked for.
func TestCalibrateAsksBeforeItQueues(t *testing.T) {
	inSpace(t, func() error {
		var asked []string
		no := errors.New("no")
		_, _, err := Calibrate(68, 1500, func(qdisc string) error { asked = append(asked, qdisc); return no }, nil, nil)
		if !errors.Is(err, no) || strings.Join(asked, " ") != "tbf plug" {
			t.Errorf("asked for %q, %v", asked, err)
		}
		return loAsBefore()
	})
}
