// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Options says how Build may go about it.
type Options struct {
	// RefuseModules makes a kind whose module would have to be loaded a
	// record.UnsupportedError instead.
	RefuseModules bool
	// Cards says that this kernel is a guest's whose cards are ours, and that
	// GiveCards has put those of the scenario into this namespace.
	Cards bool
}

// World is what Build made of a scenario. It is not safe for use from several
// goroutines at once.
type World struct {
	scenario string
	cards    bool
	via      []string
	// spaces are the namespaces, the sandbox's own first.
	spaces []*space
	// links are in the order built, a veth's far end right after its near one.
	links   []*link
	filters []placed
	// before are the modules that were loaded before Build, modules those that were
	// loaded since.
	before, modules []string
}

// link is one interface of a World.
type link struct {
	scenarios.Common
	kind  string
	space *space
	// label is how steps call it.
	label string
	// index is the kernel's ifindex; 0 before it is known.
	index int
	// lower names the links it is built upon; ports name it as their master.
	lower []string
	// peer is a veth's other end.
	peer *link
	// disabled names ports of a team.
	disabled []string
	// xdp is what a program on the far end of a veth does; "" for none.
	xdp string
	// answers names a wireguard's peer that answers.
	answers string

	tunnel  *tunnel
	reader  scenarios.ReaderMode
	process *process
	packets *packetSocket
	card    *card
}

// placed are the filters of one namespace.
type placed struct {
	*filters
	in *space
}

// LinkInfo is what a sender must know of a link.
type LinkInfo struct {
	Name string
	Kind string
	// Netns is the namespace's name in the scenario; "" is the sandbox's own.
	Netns string
	Index int
	// MTU in bytes.
	MTU int
	// Addresses are the IPv4 and IPv6 addresses it has now.
	Addresses []netip.Prefix
	// HardwareAddr is empty where the kind has none.
	HardwareAddr net.HardwareAddr
}

// Build makes what s describes, in the network namespace of the calling
// process and in new ones beside it. All threads of the process must be in one
// namespace that nobody else uses, and its main goroutine locked to the main
// thread, so that no other goroutine enters a namespace on that.
//
// A feature this kernel lacks gives a *record.UnsupportedError. On error nothing is
// left.
func Build(ctx context.Context, s scenarios.Scenario, o Options) (*World, error) {
	w := &World{scenario: s.Name, cards: o.Cards, via: s.Traffic.Via}
	before, err := loadedModules()
	if err != nil {
		return nil, err
	}
	if o.RefuseModules {
		if err := refuseModules(s); err != nil {
			return nil, err
		}
	}
	if err := w.build(ctx, s); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	after, err := loadedModules()
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.before, w.modules = before, newIn(after, before)
	return w, nil
}

func (w *World) build(ctx context.Context, s scenarios.Scenario) error {
	order, err := scenarios.BuildOrder(s.Links)
	if err != nil {
		return fmt.Errorf("order the links: %w", err)
	}
	if err := w.addSpaces(s); err != nil {
		return err
	}
	for _, l := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.addLink(ctx, l); err != nil {
			return err
		}
	}
	return w.finish(ctx, s)
}

// finish adds what needs all links to be there.
func (w *World) finish(ctx context.Context, s scenarios.Scenario) error {
	for _, step := range []func() error{
		w.disableTeamPorts,
		func() error { return w.awaitCarrier(ctx) },
		w.addNeighbours,
		func() error { return w.addRoutes(s.Routes) },
		func() error { return w.shakeHands(ctx) },
		w.addQdiscs,
		w.openPacketSockets,
		func() error { return w.addFilters(ctx, s.Filters) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) openPacketSockets() error {
	for _, lk := range w.links {
		if lk.PacketSocket == scenarios.NoPacketSocket {
			continue
		}
		p, err := openPacketSocket(lk.space, lk.Name, lk.PacketSocket)
		if err != nil {
			return err
		}
		lk.packets = p
	}
	return nil
}

func (w *World) addFilters(ctx context.Context, fs []scenarios.Filter) error {
	for _, s := range w.spaces {
		var here []scenarios.Filter
		for _, f := range fs {
			if f.Netns == s.name {
				here = append(here, f)
			}
		}
		if len(here) == 0 {
			continue
		}
		added, err := addFilters(ctx, s, here)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title(), err)
		}
		w.filters = append(w.filters, placed{added, s})
	}
	return nil
}

// Modules names the kernel modules that were loaded since Build began, sorted. On
// a busy host they may be another's.
func (w *World) Modules() []string {
	if now, err := loadedModules(); err == nil {
		w.modules = newIn(now, w.before)
	}
	return slices.Clone(w.modules)
}

// Link looks up a link, or the far end of a veth, by name: in the sandbox's own
// namespace, and if it is not there, in the others. It is false when the link
// is gone, or was never there.
func (w *World) Link(name string) (LinkInfo, bool) {
	var lk *link
	for _, s := range w.spaces {
		if lk = w.find(s.name, name); lk != nil {
			break
		}
	}
	if lk == nil {
		return LinkInfo{}, false
	}
	found, err := lk.space.nl.LinkByIndex(lk.index)
	if err != nil {
		return LinkInfo{}, false
	}
	addrs, err := lk.space.nl.AddrList(found, netlink.FAMILY_ALL)
	if err != nil {
		return LinkInfo{}, false
	}
	a := found.Attrs()
	return LinkInfo{
		Name: name, Kind: lk.kind, Netns: lk.Netns, Index: a.Index, MTU: a.MTU,
		Addresses: prefixes(addrs), HardwareAddr: a.HardwareAddr,
	}, true
}

func prefixes(addrs []netlink.Addr) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range addrs {
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok {
			continue
		}
		ones, _ := a.Mask.Size()
		out = append(out, netip.PrefixFrom(ip.Unmap(), ones))
	}
	return out
}

// Close releases everything: processes, descriptors, filters, links, and the
// namespaces beside the sandbox's own. It may be called again.
func (w *World) Close() error {
	var errs []error
	for _, f := range w.filters {
		errs = append(errs, f.Close())
	}
	for _, lk := range w.links {
		errs = append(errs, lk.letGo())
	}
	for _, s := range w.spaces {
		errs = append(errs, s.clean())
	}
	for _, s := range w.spaces {
		errs = append(errs, s.close())
	}
	w.filters, w.links, w.spaces = nil, nil, nil
	return errors.Join(errs...)
}

// letGo closes what holds the link from outside the kernel.
func (lk *link) letGo() error {
	var errs []error
	if lk.packets != nil {
		errs = append(errs, lk.packets.Close())
	}
	if lk.tunnel != nil {
		errs = append(errs, lk.tunnel.Close())
	}
	if lk.process != nil {
		errs = append(errs, lk.process.Close())
	}
	if lk.card != nil {
		errs = append(errs, lk.card.unbind())
	}
	return errors.Join(errs...)
}
