// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"skleak/snapshot"
)

// Timers are the daemon's: RFC 2328 calls them HelloInterval and
// RouterDeadInterval.
type Timers struct{ Hello, Dead time.Duration }

// Plan says what will be dropped, and for how long.
type Plan struct {
	// Links are isolated one after the other, each for Window, after as long with
	// nothing dropped. In all it takes Total.
	Links  []string      `json:"links"`
	Window time.Duration `json:"window_ns"`
	Total  time.Duration `json:"total_ns"`
	// Rule is one of the rules, as nft shows it.
	Rule string `json:"rule"`
}

// MakePlan takes each link that can send. Two Hellos and more must fall into a
// window, and an adjacency must outlive it: else it is an error.
func MakePlan(f snapshot.Facts, s Socket, uid uint32, timers Timers) (Plan, error) {
	p := Plan{Window: timers.Hello*2 + timers.Hello/2}
	switch {
	case s.Kind != "raw":
		return p, fmt.Errorf("a %s socket cannot be isolated by link: netfilter's output hook tells raw ones by their protocol", s.Kind)
	case s.Silent():
		return p, fmt.Errorf("the socket is silent: it sends nothing, so nothing can be dropped; leave --isolate out, or restart the daemon first")
	case timers.Hello <= 0 || p.Window+timers.Hello >= timers.Dead:
		return p, fmt.Errorf("with a Hello every %s, %s without them and a dead interval of %s, an adjacency could drop; give --hello and --dead as the daemon has them, dead more than 3.5 Hellos",
			timers.Hello, p.Window, timers.Dead)
	}
	for _, l := range f.Links {
		if l.Up && !l.Loopback && len(l.Addresses) > 0 {
			p.Links = append(p.Links, l.Name)
		}
	}
	if len(p.Links) == 0 {
		return p, fmt.Errorf("no link is up and has an address")
	}
	p.Total = p.Window * time.Duration(len(p.Links)+1)
	p.Rule = fmt.Sprintf("table ip skleak-blame { flags owner; chain output { type filter hook output priority filter; oifname %q meta skuid %d meta l4proto %d counter drop } }",
		p.Links[0], uid, s.Protocol)
	return p, nil
}

// String tells the plan.
func (p Plan) String() string {
	return fmt.Sprintf("%s with nothing dropped, then %s for each of %s: %s in all\n%s\nThe table goes with this process, however that ends. A dropped packet gives its sender EPERM.\n",
		p.Window, p.Window, strings.Join(p.Links, ", "), p.Total, p.Rule)
}

// Trial is one window.
type Trial struct {
	// Link is the one whose packets were dropped, "" for none.
	Link    string  `json:"link"`
	Seconds float64 `json:"seconds"`
	// Growth is what the charge grew by in bytes, Dropped how many packets of the
	// daemon the rule met.
	Growth  int64  `json:"growth"`
	Dropped uint64 `json:"dropped"`
}

// Isolated adds to a finding what the windows showed: with base nothing was
// dropped. A link is named if the growth stops, or falls by a quarter or more, while
// its packets are dropped, and what all links named take away is the growth.
func (f *Finding) Isolated(base Trial, trials []Trial) {
	f.Trials = append([]Trial{base}, trials...)
	if base.Growth <= 0 {
		f.unnamed(fmt.Sprintf("with nothing dropped the charge did not grow in %.3g s, so no link can stop it", base.Seconds))
		return
	}
	var found []Holder
	sum := int64(0)
	for _, t := range trials {
		fell := base.Growth - t.Growth
		if t.Dropped > 0 && fell*4 >= base.Growth {
			found = append(found, Holder{Name: "link " + t.Link, Link: t.Link, Kind: "link", Packets: int(t.Dropped), Bytes: fell})
			sum += fell
		}
	}
	// Hellos come when they come: a window may have one more than the next.
	if len(found) == 0 || sum*4 < base.Growth*3 || sum*2 > base.Growth*3 {
		f.unnamed(fmt.Sprintf("with nothing dropped the charge grew by %d bytes in %.3g s; no link, dropped for as long, accounts for that", base.Growth, base.Seconds))
		return
	}
	if f.Outcome == Holds {
		f.confirm(found)
		return
	}
	f.Outcome, f.By, f.Holders, f.Next = Holds, "isolation", found, nil
	f.Reason = isolation(base, trials, found)
	for i := range f.Links {
		l := &f.Links[i]
		l.Holds = slices.ContainsFunc(found, func(h Holder) bool { return h.Link == l.Link })
		for _, t := range trials {
			if t.Link == l.Link {
				l.Acquitted = !l.Holds && t.Dropped > 0
				l.Why = fmt.Sprintf("with its %d packets dropped the charge grew by %d bytes", t.Dropped, t.Growth)
			}
		}
	}
}

// confirm compares with what was named before: a contradiction takes the name back.
func (f *Finding) confirm(found []Holder) {
	for _, h := range f.Holders {
		if h.Link != "" && !slices.ContainsFunc(found, func(o Holder) bool { return o.Link == h.Link }) {
			f.unnamed(fmt.Sprintf("%s was named by %s, and dropping what is sent through %s does not stop the growth", h.Name, f.By, h.Link))
			f.Outcome, f.Holders, f.Cures, f.By = Unknown, []Holder{}, nil, ""
			return
		}
	}
	f.Notes = append(f.Notes, fmt.Sprintf("isolation agrees: %s", isolation(f.Trials[0], f.Trials[1:], found)))
}

func (f *Finding) unnamed(why string) {
	if f.Outcome == Holds {
		f.Notes = append(f.Notes, "isolation: "+why)
		return
	}
	f.Reason += "; isolation: " + why
}

func isolation(base Trial, trials []Trial, found []Holder) string {
	var parts []string
	for _, t := range trials {
		if slices.ContainsFunc(found, func(h Holder) bool { return h.Link == t.Link }) {
			parts = append(parts, fmt.Sprintf("by %d bytes with %d packets for %s dropped", t.Growth, t.Dropped, t.Link))
		}
	}
	return fmt.Sprintf("in %.3g s the charge grew by %d bytes with nothing dropped, and %s", base.Seconds, base.Growth, strings.Join(parts, ", "))
}
