// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// veth makes a veth pair with an address on its near end and both ends up, and
// gives the near end to send through.
func veth(t *testing.T, near, far, cidr string) Target {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatalf("add veth %s: %v", near, err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkDel(link); err != nil {
			t.Errorf("delete veth %s: %v", near, err)
		}
	})
	for _, name := range []string{near, far} {
		up(t, name)
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		t.Fatalf("add %s to %s: %v", cidr, near, err)
	}
	running(t, near)
	running(t, far)
	target, err := FindTarget(near, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// running waits for the carrier: until linkwatch has seen it the link's qdisc
// drops everything.
func running(t *testing.T, name string) {
	t.Helper()
	for range 500 {
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatalf("find %s: %v", name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s has no carrier", name)
}

func up(t *testing.T, name string) {
	t.Helper()
	link, err := netlink.LinkByName(name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatalf("set %s up: %v", name, err)
	}
}

// stall puts a tbf on a link that lets a packet out every few seconds, and uses
// up what its bucket has to begin with. A bucket of more than 2^32 ns is cut
// (tbf_change, net/sched/sch_tbf.c).
func stall(t *testing.T, target Target) {
	t.Helper()
	const rate, bucket = 25, 100
	tbf := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: target.Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Limit: 64 << 20, Buffer: netlink.Xmittime(rate, bucket),
	}
	if err := netlink.QdiscAdd(tbf); err != nil {
		t.Fatalf("add tbf to %s: %v", target.Link, err)
	}
	s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{target}}, false)
	mustRun(t, s, Plan{Count: 5})
}

// tap hears whatever arrives at a link.
type tap struct {
	t  *testing.T
	fd int
}

func listen(t *testing.T, name string) *tap {
	t.Helper()
	link, err := netlink.LinkByName(name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open packet socket: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Close(fd); err != nil {
			t.Errorf("close packet socket: %v", err)
		}
	})
	to := &unix.SockaddrLinklayer{Protocol: unix.ETH_P_IP<<8&0xff00 | unix.ETH_P_IP>>8, Ifindex: link.Attrs().Index}
	if err := unix.Bind(fd, to); err != nil {
		t.Fatalf("bind packet socket to %s: %v", name, err)
	}
	wait := unix.NsecToTimeval(int64(2 * time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		t.Fatal(err)
	}
	return &tap{t: t, fd: fd}
}

// next waits for a frame.
func (l *tap) next() []byte {
	l.t.Helper()
	buf := make([]byte, 1<<16)
	n, _, err := unix.Recvfrom(l.fd, buf, 0)
	if err != nil {
		l.t.Fatalf("nothing arrived: %v", err)
	}
	return buf[:n]
}

// quiet fails if anything arrived.
func (l *tap) quiet() {
	l.t.Helper()
	n, _, err := unix.Recvfrom(l.fd, make([]byte, 1<<16), unix.MSG_DONTWAIT)
	if !errors.Is(err, unix.EAGAIN) {
		l.t.Errorf("%d bytes arrived (%v), none should have", n, err)
	}
}

// know makes a host a permanent neighbour of a link.
func know(t *testing.T, target Target, host string) {
	t.Helper()
	neigh := &netlink.Neigh{
		LinkIndex: target.Index, State: netlink.NUD_PERMANENT,
		IP: net.ParseIP(host), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 2},
	}
	if err := netlink.NeighSet(neigh); err != nil {
		t.Fatalf("add neighbour %s: %v", host, err)
	}
}

// tun makes a TUN and gives it with the descriptor that reads it.
func tun(t *testing.T, name, cidr string) (Target, *os.File) {
	t.Helper()
	link := &netlink.Tuntap{
		LinkAttrs: netlink.LinkAttrs{Name: name}, Mode: netlink.TUNTAP_MODE_TUN,
		Flags: netlink.TUNTAP_NO_PI | netlink.TUNTAP_ONE_QUEUE, NonPersist: true, Queues: 1,
	}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatalf("add TUN %s: %v", name, err)
	}
	device := link.Fds[0]
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	})
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		t.Fatalf("add %s to %s: %v", cidr, name, err)
	}
	up(t, name)
	target, err := FindTarget(name, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	return target, device
}
