// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"net/netip"
)

const (
	maxRoutes  = 1024
	maxFilters = 1024
	maxKeep    = 1 << 16
)

func checkRoutes(s Scenario) error {
	if len(s.Routes) > maxRoutes {
		return wrong("routes", fmt.Sprintf("%d routes", len(s.Routes)), fmt.Sprintf("give at most %d", maxRoutes))
	}
	for i, r := range s.Routes {
		at := index("routes", i)
		if _, err := netip.ParsePrefix(r.To); err != nil && r.To != "default" {
			return wrong(at+".to", shown(r.To)+" is no network", "write it like 10.9.9.0/24, or default")
		}
		if r.Via != "" && !isAddress(r.Via) {
			return wrong(at+".via", shown(r.Via)+" is no IP address", "write it like 10.9.9.2")
		}
		if r.Via == "" && r.Link == "" {
			return wrong(at, "a route to nowhere", "give it via, link or both")
		}
		if r.Link != "" && !hasLink(s.Links, r.Netns, r.Link) {
			return noLink(at+".link", r.Netns, r.Link, s.Links)
		}
	}
	return nil
}

func checkFilters(s Scenario) error {
	if len(s.Filters) > maxFilters {
		return wrong("filters", fmt.Sprintf("%d filters", len(s.Filters)), fmt.Sprintf("give at most %d", maxFilters))
	}
	for i, f := range s.Filters {
		if err := f.check(); err != nil {
			return under(index("filters", i), err)
		}
		if f.Link != "" && !hasLink(s.Links, f.Netns, f.Link) {
			return noLink(index("filters", i)+".link", f.Netns, f.Link, s.Links)
		}
	}
	return nil
}

func (f Filter) check() error {
	if err := oneOf("hook", "hook", f.Hook, "prerouting", "input", "forward", "output", "postrouting"); err != nil {
		return err
	}
	if err := oneOf("action", "action", f.Action, "drop", "nfqueue"); err != nil {
		return err
	}
	if f.Queue < 0 || f.Queue > 65535 {
		return wrong("queue", fmt.Sprintf("queue %d", f.Queue), "give 0 to 65535")
	}
	if f.Action != "nfqueue" && (f.Listener != nil || f.Queue != 0) {
		return wrong("action", "a queue or listener for "+f.Action, "say action: nfqueue, or leave them out")
	}
	if f.Listener == nil {
		return nil
	}
	return under("listener", f.Listener.check())
}

func (l Listener) check() error {
	if err := oneOf("verdict", "verdict of a listener", l.Verdict, "", "accept", "drop", "none"); err != nil {
		return err
	}
	if len(l.Keep) > maxKeep {
		return wrong("keep", fmt.Sprintf("%d packets kept", len(l.Keep)), fmt.Sprintf("list at most %d", maxKeep))
	}
	for i, n := range l.Keep {
		if n < 1 {
			return wrong(index("keep", i), fmt.Sprintf("packet number %d", n), "count from 1")
		}
	}
	return notNegative("maxlen", l.MaxLen)
}
