// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// linkBuild builds one link. It has a method for each kind, in the kind's own
// file, which makes the interface, down, of the kind's options; the options'
// type says which.
type linkBuild struct {
	ctx   context.Context
	world *World
	lk    *link
}

// create makes the interface of lk.
func (w *World) create(ctx context.Context, lk *link, options scenarios.LinkOptions) error {
	found, err := buildBy(linkBuild{ctx, w, lk}, options)
	if !found {
		return fmt.Errorf("no way is known to build a link of kind %s", lk.kind)
	}
	return err
}

// buildBy calls the method of builder that takes options of this type.
func buildBy(builder, options any) (found bool, err error) {
	v, want := reflect.ValueOf(builder), reflect.TypeOf(options)
	for i := range v.NumMethod() {
		if m := v.Method(i); m.Type().NumIn() == 1 && m.Type().In(0) == want {
			err, _ := m.Call([]reflect.Value{reflect.ValueOf(options)})[0].Interface().(error)
			return true, err
		}
	}
	return false, nil
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
		return unsupported(scenarios.LinkNeed(lk.kind), err)
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
