// SPDX-License-Identifier: GPL-2.0-only

package testkit

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Namespace makes a network namespace, empty but for lo, which is up, and gives a
// path to it that other processes can use too. It ends with the test, and all links
// in it. The test needs root.
func Namespace(t testing.TB) (path string, handle *netlink.Handle) {
	t.Helper()
	h, err := newNamespace()
	if err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	handle, err = netlink.NewHandleAt(h, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What waits in a link would keep the namespace.
		links, err := handle.LinkList()
		for _, l := range links {
			if l.Attrs().Name != "lo" {
				_ = handle.LinkDel(l)
			}
		}
		handle.Close()
		if closed := h.Close(); err != nil || closed != nil {
			t.Errorf("end a network namespace: %v, %v", err, closed)
		}
	})
	lo, err := handle.LinkByName("lo")
	if err == nil {
		err = handle.LinkSetUp(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(h)), handle
}

// newNamespace leaves its thread where it was.
func newNamespace() (made netns.NsHandle, err error) {
	made = -1
	err = andBack(func() error {
		if made, err = netns.New(); err != nil {
			return err
		}
		// What IPv6 sends of its own would be counted too. A kernel without has no such file.
		err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	return made, err
}

// andBack runs f, which may enter another namespace, and leaves the thread where it
// was.
func andBack(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := netns.Get()
	if err != nil {
		return err
	}
	return errors.Join(f(), netns.Set(own), own.Close())
}

// Veth makes a pair of links in a Namespace, both up and running, the first with an
// address.
func Veth(t testing.TB, handle *netlink.Handle, name, peer, address string) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if err := handle.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer}); err != nil {
		t.Fatalf("make veth %s: %v", name, err)
	}
	for _, end := range []string{peer, name} {
		l, err := handle.LinkByName(end)
		if err == nil {
			err = handle.LinkSetUp(l)
		}
		if err != nil {
			t.Fatalf("set %s up: %v", end, err)
		}
	}
	return Address(t, handle, name, address)
}

// Address gives a link of a Namespace an address, sets it up, and gives the link.
func Address(t testing.TB, handle *netlink.Handle, name, address string) netlink.Link {
	t.Helper()
	l, err := handle.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr(address)
	if err == nil {
		err = handle.AddrAdd(l, a)
	}
	if err == nil {
		err = handle.LinkSetUp(l)
	}
	if err != nil {
		t.Fatalf("give %s the address %s: %v", name, address, err)
	}
	return l
}

// Stuck puts a tbf on a link of the Namespace at path, which lets a few packets out
// and then a byte a second.
func Stuck(t testing.TB, path string, l netlink.Link) {
	t.Helper()
	const burst, tick = 256, 64 * time.Nanosecond
	opt := nl.TcTbfQopt{Limit: 64 << 20, Buffer: uint32(burst * time.Second / tick)}
	opt.Rate.Linklayer, opt.Rate.Rate = 1, 1 // Ethernet; a byte a second
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	options.AddRtAttr(nl.TCA_TBF_PARMS, opt.Serialize())
	// NB: the netlink library leaves this out, and without it the kernel takes no
	// burst that lasts over 4.3 s.
	options.AddRtAttr(nl.TCA_TBF_BURST, nl.Uint32Attr(burst))
	err := andBack(func() error {
		h, err := netns.GetFromPath(path)
		if err != nil {
			return err
		}
		if err := errors.Join(netns.Set(h), h.Close()); err != nil {
			return err
		}
		req := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
		req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(l.Attrs().Index), Parent: netlink.HANDLE_ROOT})
		req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("tbf")))
		req.AddData(options)
		_, err = req.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
	if err != nil {
		t.Fatalf("put a tbf on %s: %v", l.Attrs().Name, err)
	}
}
