// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes network namespaces without a user namespace: run as root")
	}
}

// emptySpace is a namespace for one test, with lo up and IPv6 off.
func emptySpace(t *testing.T) *space {
	t.Helper()
	needRoot(t)
	s, err := newSpace(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	noIPv6 := func() error {
		for _, which := range []string{"all", "default"} {
			err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	if err := s.do(noIPv6); err != nil {
		t.Fatal(err)
	}
	linkUp(t, s, "lo", "")
	return s
}

// linkUp sets a link up and gives it an address, if that is not empty.
func linkUp(t *testing.T, s *space, name, cidr string) netlink.Link {
	t.Helper()
	link, err := s.nl.LinkByName(name)
	if err != nil {
		t.Fatalf("link %s: %v", name, err)
	}
	if cidr != "" {
		addr, err := netlink.ParseAddr(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.nl.AddrAdd(link, addr); err != nil {
			t.Fatalf("address of %s: %v", name, err)
		}
	}
	if err := s.nl.LinkSetUp(link); err != nil {
		t.Fatalf("set %s up: %v", name, err)
	}
	return link
}

// addVeth makes v0 with an address and its peer v1, both up.
func addVeth(t *testing.T, s *space) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "v0"
	if err := s.nl.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "v1"}); err != nil {
		t.Fatal(err)
	}
	linkUp(t, s, "v1", "")
	linkUp(t, s, "v0", "172.29.198.129/28")
}

// sender is a raw IP_HDRINCL socket that sends to 224.0.0.5 through one link.
type sender struct {
	t  *testing.T
	fd int
}

func newSender(t *testing.T, s *space, link string) *sender {
	t.Helper()
	index := linkUp(t, s, link, "").Attrs().Index
	snd := &sender{t: t, fd: -1}
	err := s.do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		snd.fd = fd
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1),
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}),
		)
	})
	t.Cleanup(snd.close)
	if err != nil {
		t.Fatal(err)
	}
	return snd
}

func (s *sender) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
	s.fd = -1
}

// send sends n packets the size of an OSPF Hello and counts what the kernel
// answers. A full socket is waited for when patient.
func (s *sender) send(n int, patient bool) map[error]int {
	s.t.Helper()
	packet := make([]byte, 64)
	packet[0], packet[8], packet[9] = 0x45, 1, 89
	copy(packet[16:], net.IPv4(224, 0, 0, 5).To4())
	to := &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 5}}
	answers := map[error]int{}
	deadline := time.Now().Add(time.Minute)
	for range n {
		err := unix.Sendto(s.fd, packet, 0, to)
		for patient && errors.Is(err, unix.EAGAIN) {
			if time.Now().After(deadline) {
				s.t.Fatal("the socket was full for a minute")
			}
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}, 1000)
			err = unix.Sendto(s.fd, packet, 0, to)
		}
		if err == nil {
			answers[nil]++
		} else {
			answers[err]++
		}
	}
	return answers
}

// charge is the socket's sk_wmem_alloc in bytes.
func (s *sender) charge() int {
	s.t.Helper()
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		s.t.Fatal(errno)
	}
	return int(info[2])
}

// within waits until ok holds, for tests of what the kernel does in its own
// time; the bound only ends a test that has failed.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after 10 s still not: %s", what)
}

// closeAfter closes c and fails the test where that fails.
func closeAfter(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// fds is how many descriptors this process has open, without the two that the
// runtime makes for its poller when it is first needed.
func fds(t *testing.T) int {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(open, func(fd string) bool {
		to, err := os.Readlink(fd)
		return err != nil || strings.HasPrefix(to, "anon_inode:[event")
	}))
}

// openedBy calls f and reports how many descriptors it left open.
func openedBy(t *testing.T, f func()) int {
	t.Helper()
	before := fds(t)
	f()
	return fds(t) - before
}
