// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"skleak/scenarios"
)

// title names the namespace in messages.
func (s *space) title() string {
	if s.name == "" {
		return "the sandbox"
	}
	return "namespace " + s.name
}

// addSpaces makes every namespace the scenario names, the sandbox's own first.
func (w *World) addSpaces(s scenarios.Scenario) error {
	own, err := ownSpace()
	if err != nil {
		return err
	}
	w.spaces = append(w.spaces, own)
	for _, name := range namespaceNames(s) {
		made, err := newSpace(name)
		if err != nil {
			return err
		}
		w.spaces = append(w.spaces, made)
	}
	for _, sp := range w.spaces {
		forward := slices.ContainsFunc(s.Namespaces, func(n scenarios.Namespace) bool {
			return n.Name == sp.name && n.Forward
		})
		if err := sp.prepare(s.IPv6, forward); err != nil {
			return fmt.Errorf("prepare %s: %w", sp.title(), err)
		}
	}
	return nil
}

// namespaceNames lists the namespaces beside the sandbox's own, each once, in
// the order met.
func namespaceNames(s scenarios.Scenario) []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, n := range s.Namespaces {
		add(n.Name)
	}
	for _, l := range s.Links {
		add(l.Netns)
		if peer := scenarios.PeerOf(l); peer != nil {
			add(peer.Netns)
		}
	}
	for _, r := range s.Routes {
		add(r.Netns)
	}
	for _, f := range s.Filters {
		add(f.Netns)
	}
	return names
}

func (w *World) space(name string) (*space, error) {
	for _, s := range w.spaces {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no namespace %q", name)
}

// prepare sets lo up, IPv6 off unless asked for, and forwarding. Bridges do not
// call netfilter: its prerouting hook orphans what a bridge passes on (ip_rcv_core
// by way of br_netfilter), so it would hide what the link does.
func (s *space) prepare(ipv6, forward bool) error {
	err := s.quick(func() error {
		errs := []error{setSysctl("net/bridge/bridge-nf-call-iptables", "0")}
		if !ipv6 {
			for _, which := range []string{"all", "default"} {
				errs = append(errs, setSysctl("net/ipv6/conf/"+which+"/disable_ipv6", "1"))
			}
		}
		if forward {
			errs = append(errs, setSysctl("net/ipv4/ip_forward", "1"))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	lo, err := s.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := s.nl.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

// setSysctl writes one of the current thread's namespace. One this kernel lacks
// is no error: what it would turn off is not there.
func setSysctl(name, value string) error {
	err := os.WriteFile("/proc/sys/"+name, []byte(value), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("set sysctl %s to %s (is /proc/sys writable here?): %w", name, value, err)
	}
	return nil
}
