// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// create makes the interface of lk, down, by its kind: one line a kind, which
// lives in its own file.
//
//nolint:cyclop,funlen // a table, one line a kind
func (w *World) create(ctx context.Context, lk *link, options scenarios.LinkOptions) error {
	switch o := options.(type) {
	case *scenarios.TunOptions:
		return createTun(lk, *o, false)
	case *scenarios.TapOptions:
		return createTun(lk, o.TunOptions, true)
	case *scenarios.IodineOptions:
		return createIodine(ctx, lk)
	case *scenarios.VethOptions:
		return w.createVeth(lk, o)
	case *scenarios.DummyOptions:
		return createDummy(lk)
	case *scenarios.IfbOptions:
		return createIfb(lk)
	case *scenarios.NlmonOptions:
		return createNlmon(lk)
	case *scenarios.BridgeOptions:
		return createBridge(lk)
	case *scenarios.VlanOptions:
		return w.createVlan(lk, o)
	case *scenarios.MacvlanOptions:
		return w.createMacvlan(lk, o)
	case *scenarios.MacvtapOptions:
		return w.createMacvtap(lk, o)
	case *scenarios.IpvlanOptions:
		return w.createIpvlan(lk, o)
	case *scenarios.BondOptions:
		return createBond(lk, o)
	case *scenarios.TeamOptions:
		return createTeam(lk, o)
	case *scenarios.VxlanOptions:
		return w.createVxlan(lk, o)
	case *scenarios.GeneveOptions:
		return createGeneve(lk, o)
	case *scenarios.GreOptions:
		return w.createGre(lk, o)
	case *scenarios.GretapOptions:
		return w.createGretap(lk, o)
	case *scenarios.IpipOptions:
		return w.createIpip(lk, o)
	case *scenarios.WireguardOptions:
		return createWireguard(lk, o)
	case *scenarios.VrfOptions:
		return createVrf(lk, o)
	case *scenarios.MacsecOptions:
		return w.createMacsec(lk, o)
	case *scenarios.XfrmOptions:
		return w.createXfrm(lk, o)
	case *scenarios.NicOptions:
		return w.createNic(lk, o)
	default:
		return fmt.Errorf("no way is known to build a link of kind %s", lk.kind)
	}
}

// addLink makes a link and sets it up; a veth's far end too.
func (w *World) addLink(ctx context.Context, l scenarios.Link) error {
	s, err := w.space(l.Netns)
	if err != nil {
		return fmt.Errorf("link %s: %w", l.Name, err)
	}
	lk := &link{Common: l.Common, kind: l.Kind(), space: s, lower: l.Options.Lower()}
	w.links = append(w.links, lk)
	if err := w.create(ctx, lk, l.Options); err != nil {
		return err
	}
	ends := []*link{lk}
	if lk.peer != nil {
		ends = append(ends, lk.peer)
		w.links = append(w.links, lk.peer)
	}
	for _, end := range ends {
		if err := w.configure(end); err != nil {
			return fmt.Errorf("set up %s %s: %w", end.kind, end.Name, err)
		}
	}
	return nil
}

// attrs are the attributes every new link begins with; parent may be nil.
func (lk *link) attrs(parent *link) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = lk.Name
	if parent != nil {
		a.ParentIndex = parent.index
	}
	return a
}

// parent finds the link that lk is built upon; nil for an empty name.
func (w *World) parent(lk *link, name string) (*link, error) {
	if name == "" {
		return nil, nil
	}
	found := w.find(lk.Netns, name)
	if found == nil || found.index == 0 {
		return nil, fmt.Errorf("create %s %s: its parent %s is not there yet", lk.kind, lk.Name, name)
	}
	return found, nil
}

// add makes the interface.
func (lk *link) add(l netlink.Link) error {
	if err := lk.space.nl.LinkAdd(l); err != nil {
		return fmt.Errorf("create %s %s: %w", lk.kind, lk.Name, lk.whyNot(l, err))
	}
	return nil
}

// whyNot tells a kind this kernel lacks from a link it refuses. Both can be
// EOPNOTSUPP, but only an unknown kind is found before the name is looked at
// (net/core/rtnetlink.c, rtnl_newlink; net/core/dev.c, dev_valid_name).
func (lk *link) whyNot(l netlink.Link, err error) error {
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	bare := netlink.NewLinkAttrs()
	bare.Name = "no/name"
	bare.ParentIndex = l.Attrs().ParentIndex
	probe := lk.space.nl.LinkAdd(&netlink.GenericLink{LinkAttrs: bare, LinkType: l.Type()})
	if errors.Is(probe, unix.EOPNOTSUPP) {
		return linkNeed(lk.kind).unsupported(err)
	}
	return err
}

// configure gives a new interface what every link may have, and sets it up.
// Masters take their ports while these are down, and set some of them up.
func (w *World) configure(lk *link) error {
	nl := lk.space.nl
	l, err := nl.LinkByName(lk.Name)
	if err != nil {
		return fmt.Errorf("find it: %w", err)
	}
	lk.index = l.Attrs().Index
	if err := lk.setAttributes(l); err != nil {
		return err
	}
	if err := lk.attachXDP(l); err != nil {
		return err
	}
	if lk.Master != "" {
		if err := w.enslave(lk, l); err != nil {
			return err
		}
	}
	if err := lk.addAddresses(l); err != nil {
		return err
	}
	if lk.Down {
		if err := nl.LinkSetDown(l); err != nil {
			return fmt.Errorf("leave it down: %w", err)
		}
		return nil
	}
	if err := nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("set it up: %w", err)
	}
	return nil
}

func (lk *link) setAttributes(l netlink.Link) error {
	nl := lk.space.nl
	if lk.MAC != "" {
		mac, err := net.ParseMAC(lk.MAC)
		if err != nil {
			return err
		}
		if err := nl.LinkSetHardwareAddr(l, mac); err != nil {
			return fmt.Errorf("give it the address %s: %w", lk.MAC, err)
		}
	}
	if lk.MTU != 0 {
		if err := nl.LinkSetMTU(l, lk.MTU); err != nil {
			return fmt.Errorf("set its mtu to %d: %w; the %s itself or the link below it allows less", lk.MTU, err, lk.kind)
		}
	}
	if lk.TxQueueLen != nil {
		if err := nl.LinkSetTxQLen(l, *lk.TxQueueLen); err != nil {
			return fmt.Errorf("set its txqueuelen to %d: %w", *lk.TxQueueLen, err)
		}
	}
	return nil
}

func (w *World) enslave(lk *link, l netlink.Link) error {
	master := w.find(lk.Netns, lk.Master)
	if master == nil || master.index == 0 {
		return fmt.Errorf("its master %s is not there yet", lk.Master)
	}
	if err := lk.space.nl.LinkSetMasterByIndex(l, master.index); err != nil {
		return fmt.Errorf("make it a port of %s: %w", lk.Master, err)
	}
	return nil
}

// addAddresses adds the addresses. IPv4 ones are there at once; for IPv6 ones
// the wait for duplicates is left out.
func (lk *link) addAddresses(l netlink.Link) error {
	if lk.process != nil {
		// NB: iodined gives its TUN the address itself.
		return nil
	}
	for _, text := range lk.Addresses {
		addr, err := netlink.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("address %s: %w", text, err)
		}
		if addr.IP.To4() == nil {
			addr.Flags |= unix.IFA_F_NODAD
		}
		if err := lk.space.nl.AddrAdd(l, addr); err != nil {
			return fmt.Errorf("give it the address %s: %w", text, err)
		}
	}
	return nil
}
