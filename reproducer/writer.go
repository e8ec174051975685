// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"skleak/scenarios"
)

// writer gathers the parts of a script.
type writer struct {
	sc scenarios.Scenario
	// links are in the order built, a veth's far end after its near one.
	links []*link
	// build makes the links, finish what needs all of them.
	build, finish []string
	// tools are what the scenario wants of the machine beside iproute2; programs
	// the parts of C.
	tools, programs map[string]bool
}

// link is one interface, with what the ladder has to know of it.
type link struct {
	scenarios.Common
	kind  string
	lower []string
	peer  *link
	// helper is the key of the program that makes or reads it; "" for none.
	helper  string
	drained bool
	options scenarios.LinkOptions
	xdp     string
}

func (w *writer) addLink(l scenarios.Link) {
	lk := &link{Common: l.Common, kind: l.Kind(), lower: l.Options.Lower(), options: l.Options}
	w.links = append(w.links, lk)
	if peer := scenarios.PeerOf(l); peer != nil {
		lk.peer = &link{Common: *peer, kind: lk.kind, peer: lk}
		if o, ok := l.Options.(*scenarios.VethOptions); ok {
			lk.peer.xdp = o.XDP
		}
		w.links = append(w.links, lk.peer)
	}
}

var errCard = errors.New("it is about a network card of a virtual machine; use skleak vm run")

// buildAll writes all that comes before the sender.
func (w *writer) buildAll() error {
	for _, ns := range w.namespaces() {
		w.prepare(ns)
	}
	for _, lk := range w.links {
		if lk.peer != nil && lk.options == nil {
			continue // made with its near end
		}
		if err := w.create(lk); err != nil {
			return err
		}
		w.configure(lk)
		if lk.peer != nil {
			w.configure(lk.peer)
		}
	}
	for _, lk := range w.links {
		w.disablePorts(lk)
		for _, n := range lk.Neighbours {
			w.finish = append(w.finish, must(lk.Netns, "ip", "neigh", "replace", n.Address, "lladdr", n.LLAddr, "nud", "permanent", "dev", lk.Name))
		}
	}
	for _, r := range w.sc.Routes {
		w.finish = append(w.finish, route(r))
	}
	for _, lk := range w.links {
		w.shakeHands(lk)
	}
	for _, lk := range w.links {
		if lk.Qdisc != nil {
			w.finish = append(w.finish, qdisc(lk.Netns, lk.Name, []string{"root"}, *lk.Qdisc)...)
		}
	}
	for _, lk := range w.links {
		w.openPacketSocket(lk)
	}
	w.addFilters()
	return nil
}

// namespaces are all, the sender's own first.
func (w *writer) namespaces() []string {
	names := []string{""}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, n := range w.sc.Namespaces {
		add(n.Name)
	}
	for _, lk := range w.links {
		add(lk.Netns)
	}
	for _, r := range w.sc.Routes {
		add(r.Netns)
	}
	for _, f := range w.sc.Filters {
		add(f.Netns)
	}
	return names
}

func (w *writer) prepare(ns string) {
	if ns != "" {
		w.build = append(w.build, command("must", "ip", "netns", "add", ns))
	}
	w.build = append(w.build, command("put", ns, "bridge/bridge-nf-call-iptables", "0"))
	if !w.sc.IPv6 {
		for _, which := range []string{"all", "default"} {
			w.build = append(w.build, command("put", ns, "ipv6/conf/"+which+"/disable_ipv6", "1"))
		}
	}
	if slices.ContainsFunc(w.sc.Namespaces, func(n scenarios.Namespace) bool { return n.Name == ns && n.Forward }) {
		w.build = append(w.build, command("put", ns, "ipv4/ip_forward", "1"))
	}
	w.build = append(w.build, must(ns, "ip", "link", "set", "lo", "up"))
}

// must is a command in a namespace that has to work.
func must(ns string, words ...string) string {
	if ns == "" {
		return command(append([]string{"must"}, words...)...)
	}
	if words[0] == "ip" || words[0] == "tc" {
		return command(slices.Concat([]string{"must", words[0], "-n", ns}, words[1:])...)
	}
	return command(append([]string{"must", "within", ns}, words...)...)
}

// configure gives an interface what every link may have, and sets it up.
func (w *writer) configure(lk *link) {
	set := func(words ...string) {
		w.build = append(w.build, must(lk.Netns, append([]string{"ip", "link", "set", "dev", lk.Name}, words...)...))
	}
	if lk.MAC != "" {
		set("address", lk.MAC)
	}
	if lk.MTU != 0 {
		set("mtu", strconv.Itoa(lk.MTU))
	}
	if lk.TxQueueLen != nil {
		set("txqueuelen", strconv.Itoa(*lk.TxQueueLen))
	}
	if lk.xdp != "" {
		w.programs["xdp"] = true
		w.build = append(w.build, `must within `+quote(lk.Netns)+` "$dir/probe" xdp `+command(lk.Name, lk.xdp))
	}
	if lk.Master != "" {
		set("master", lk.Master)
	}
	if lk.kind != "iodine" {
		for _, a := range lk.Addresses {
			words := []string{"ip", "addr", "add", a, "dev", lk.Name}
			if p, err := netip.ParsePrefix(a); err == nil && p.Addr().Is6() {
				words = append(words, "nodad")
			}
			w.build = append(w.build, must(lk.Netns, words...))
		}
	}
	if lk.Down {
		set("down")
		return
	}
	set("up")
}

func route(r scenarios.Route) string {
	words := []string{"ip", "route", "add", r.To}
	if r.Via != "" {
		words = append(words, "via", r.Via)
	}
	if r.Link != "" {
		words = append(words, "dev", r.Link)
	}
	if p, err := netip.ParsePrefix(r.To); err == nil && p.Addr().Is6() {
		words[0] = "ip"
		words = slices.Insert(words, 1, "-6")
		return command(slices.Concat([]string{"must", "within", r.Netns}, words)...)
	}
	return must(r.Netns, words...)
}

// helper starts a part of the C program for a link and leaves its key.
func (w *writer) helper(lk *link, program string, args ...string) string {
	w.programs[program] = true
	key := fmt.Sprintf("%s-%s-%s", program, lk.Netns, lk.Name)
	return fmt.Sprintf(`helper %s %s "$dir/probe" %s %s`, quote(key), quote(lk.Netns), program, command(args...))
}

func (w *writer) openPacketSocket(lk *link) {
	if lk.PacketSocket == scenarios.NoPacketSocket {
		return
	}
	w.finish = append(w.finish, w.helper(lk, "packet", lk.Name, string(lk.PacketSocket)))
}

func (w *writer) needs() string {
	names := slices.Sorted(maps.Keys(w.tools))
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ")
}

func (w *writer) toolList() string {
	text := ""
	for _, t := range slices.Sorted(maps.Keys(w.tools)) {
		if t != "nft or iptables" {
			text += " " + quote(t)
		}
	}
	return text
}
