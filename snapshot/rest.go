// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"skleak/record"
	"skleak/scenarios"
)

// routes are those that tunnels need.
func (m *maker) routes() []scenarios.Route {
	var out []scenarios.Route
	for _, l := range m.in {
		index, route, ok := m.facts.underlay(l)
		if !ok || route == nil {
			continue
		}
		by, there := m.facts.link(index)
		if !there || !m.has(by) || !by.Up || route.Via != "" && !neighbourOf(by, route.Via) {
			m.remark(l, "the route to its far end, %s: not said", route.To)
			continue
		}
		to := route.To
		if to == "0.0.0.0/0" {
			to = "default"
		}
		one := scenarios.Route{To: to, Via: route.Via, Link: m.name(by.Index)}
		if !slices.ContainsFunc(out, func(r scenarios.Route) bool { return r.To == one.To }) {
			out = append(out, one)
		}
	}
	return out
}

// filters are the rules that a scenario can say, of those about its links.
func (m *maker) filters() []scenarios.Filter {
	hooks := []string{"prerouting", "input", "forward", "output", "postrouting"}
	var out []scenarios.Filter
	for _, r := range m.facts.Rules {
		link := ""
		if r.Link != "" {
			i := slices.IndexFunc(m.in, func(l Link) bool { return l.Name == r.Link })
			if i < 0 {
				continue
			}
			link = m.name(m.in[i].Index)
		}
		what := fmt.Sprintf("%s: a rule with action %s", r.Where, r.Action)
		if r.Unless != "" || !slices.Contains(hooks, r.Hook) {
			m.note(what + ": not said, since it is about " + firstOf(r.Unless, "packets at another hook"))
			continue
		}
		f := scenarios.Filter{Hook: r.Hook, Link: link, Action: r.Action}
		switch r.Action {
		case "reject":
			m.note(what + ": here it drops, without an answer")
			f.Action = "drop"
		case "nfqueue":
			f.Queue, f.Listener = r.Queue, m.listener(r.Queue)
		}
		if !slices.ContainsFunc(out, func(o scenarios.Filter) bool {
			return o.Hook == f.Hook && o.Link == f.Link && o.Action == f.Action && o.Queue == f.Queue
		}) {
			out = append(out, f)
		}
	}
	return out
}

// listener is the program bound to a queue, by what waits there; nil for nobody.
func (m *maker) listener(queue int) *scenarios.Listener {
	i := slices.IndexFunc(m.facts.Queues, func(q Queue) bool { return q.Number == queue })
	if i < 0 {
		return nil
	}
	if n := m.facts.Queues[i].Waiting; n > 0 {
		m.note(fmt.Sprintf("nfqueue %d: %d packets wait for a verdict: here none is given", queue, n))
		return &scenarios.Listener{Verdict: "none"}
	}
	return &scenarios.Listener{Verdict: "accept"}
}

// expect are the verdicts that sound kernels may show. What a queue, a neighbour or
// a listener holds is no defect; nothing of the kind, and all must come back.
func (m *maker) expect(sc scenarios.Scenario) []record.Verdict {
	holds, refuses := false, false
	for _, l := range sc.Links {
		holds = holds || slices.Contains(tunnels(), l.Kind()) || slow(l.Qdisc)
		refuses = refuses || l.Down
		switch o := l.Options.(type) {
		case *scenarios.VethOptions:
			holds = holds || slow(o.Peer.Qdisc)
			refuses = refuses || o.Peer.Down
		case *scenarios.TunOptions:
			holds = holds || o.Backpressure
		case *scenarios.TapOptions:
			holds = holds || o.Backpressure
		}
	}
	for _, f := range sc.Filters {
		holds = holds || f.Action == "nfqueue"
		refuses = refuses || f.Action == "drop"
	}
	out := []record.Verdict{record.Clean}
	if holds {
		out = append(out, record.Held, record.Stalled)
	}
	if holds || refuses {
		out = append(out, record.Refused)
	}
	return out
}

// slow says that a qdisc may keep packets on purpose.
func slow(q *scenarios.Qdisc) bool {
	if q == nil {
		return false
	}
	switch o := q.Options.(type) {
	case *scenarios.CakeOptions:
		return o.Rate > 0
	case *scenarios.FqOptions:
		return o.MaxRate > 0
	}
	return slices.Contains([]string{"plug", "tbf", "htb", "netem"}, q.Kind())
}

// linkNames are what scenarios call the links: their own names, unless the
// language has no such name.
func linkNames(f Facts) map[int]string {
	names, taken := map[int]string{}, map[string]bool{}
	for _, l := range f.Links {
		if validName(l.Name) && !taken[l.Name] {
			names[l.Index], taken[l.Name] = l.Name, true
		}
	}
	for _, l := range f.Links {
		if names[l.Index] != "" {
			continue
		}
		n := 0
		for names[l.Index] == "" || taken[names[l.Index]] {
			n++
			names[l.Index] = "link" + itoa(n)
		}
		taken[names[l.Index]] = true
	}
	return names
}

// validName goes by the rules of scenarios for interface names.
func validName(name string) bool {
	const most = 15
	if name == "" || len(name) > most || slices.Contains([]string{".", "..", "lo", "all", "default"}, name) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsGraphic(r) || strings.ContainsRune(" /:%", r)
	})
}

// scenarioNames are the second parts of the scenarios' names, by link.
func scenarioNames(f Facts) map[int]string {
	names, taken := map[int]string{}, map[string]bool{}
	for index, name := range linkNames(f) {
		names[index] = strings.TrimLeft(strings.Map(func(r rune) rune {
			r = unicode.ToLower(r)
			if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-", r) {
				return r
			}
			return '-'
		}, name), ".-")
	}
	for _, l := range f.Links {
		base := firstOf(names[l.Index], "link")
		name := base
		for n := 2; taken[name]; n++ {
			name = base + "-" + itoa(n)
		}
		names[l.Index], taken[name] = name, true
	}
	return names
}
