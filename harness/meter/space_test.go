// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// inSpace runs f on a thread of its own in a network namespace of its own,
// which is gone with the thread. f returns errors: it is not the test's
// goroutine.
func inSpace(t *testing.T, f func() error) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace without a user namespace: run as root")
	}
	done := make(chan error, 1)
	go func() {
		// NB: never unlocked, so that the thread ends with its namespace.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// sender is a raw IP_HDRINCL socket that sends 68 bytes of OSPF by lo.
type sender struct {
	fd     int
	packet []byte
}

func newSender(size int) (*sender, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return nil, err
	}
	if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: 1}); err != nil {
		return nil, err
	}
	packet := make([]byte, size)
	packet[0], packet[8], packet[9] = 0x45, 1, 89
	copy(packet[12:], []byte{127, 0, 0, 1, 224, 0, 0, 5})
	return &sender{fd: fd, packet: packet}, nil
}

func (s *sender) send() error {
	return unix.Sendto(s.fd, s.packet, unix.MSG_DONTWAIT, &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 5}})
}

func (s *sender) charge() (uint32, error) { return Charge(s.fd) }

func (s *sender) close() error { return unix.Close(s.fd) }
