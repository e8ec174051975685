// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Target is a link to send through.
type Target struct {
	// Link is its name, Index its interface index.
	Link  string
	Index int
	// Source is the address to send from; the zero Addr leaves it to the kernel.
	Source netip.Addr
	// HardwareType is the link's ARPHRD number (include/uapi/linux/if_arp.h).
	HardwareType uint16
	// HardwareAddr is its own hardware address; nil where it has none.
	HardwareAddr net.HardwareAddr
	// NextHop is where a packet socket sends what is no multicast; nil is everyone.
	NextHop net.HardwareAddr
	// MTU in bytes.
	MTU int
}

// FindTarget reads what a Target says of a link of the calling process's
// namespace. A zero source takes the link's first IPv4 address, if it has one.
func FindTarget(link string, source netip.Addr) (Target, error) {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return Target{}, fmt.Errorf("find link %s to send through: %w", link, err)
	}
	kind, err := hardwareType(link)
	if err != nil {
		return Target{}, fmt.Errorf("read the hardware type of %s: %w", link, err)
	}
	if !source.IsValid() {
		if source, err = firstAddress(ifi); err != nil {
			return Target{}, fmt.Errorf("read the addresses of %s: %w", link, err)
		}
	}
	return Target{
		Link: link, Index: ifi.Index, Source: source,
		HardwareType: kind, HardwareAddr: ifi.HardwareAddr, MTU: ifi.MTU,
	}, nil
}

func hardwareType(link string) (kind uint16, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open a socket: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	ifr, err := unix.NewIfreq(link)
	if err != nil {
		return 0, err
	}
	// The family of the address is the type: dev_get_mac_address, net/core/dev.c.
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, ifr); err != nil {
		return 0, fmt.Errorf("SIOCGIFHWADDR: %w", err)
	}
	return ifr.Uint16(), nil
}

func firstAddress(ifi *net.Interface) (netip.Addr, error) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, nil
}

// ethernet reports whether frames on the link begin with an Ethernet header.
func (t Target) ethernet() bool {
	return t.HardwareType == unix.ARPHRD_ETHER || t.HardwareType == unix.ARPHRD_LOOPBACK
}

// linkDestination is the hardware address a packet to dst goes to.
func (t Target) linkDestination(dst netip.Addr) net.HardwareAddr {
	if dst.IsMulticast() {
		// RFC 1112 6.4: the low 23 bits of the group.
		g := dst.As4()
		return net.HardwareAddr{0x01, 0x00, 0x5e, g[1] & 0x7f, g[2], g[3]}
	}
	if t.NextHop != nil {
		return t.NextHop
	}
	return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
}
