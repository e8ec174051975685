// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// end is one interface of a list of links: a link, or the peer of a veth.
type end struct {
	common *Common
	// path is where it is, below the list: "[2].peer".
	path string
	// link is the index of the link it belongs to.
	link int
}

// ends lists every interface that links make.
func ends(links []Link) []end {
	var out []end
	for i := range links {
		out = append(out, end{&links[i].Common, fmt.Sprintf("[%d]", i), i})
		if peer := PeerOf(links[i]); peer != nil {
			out = append(out, end{peer, fmt.Sprintf("[%d].peer", i), i})
		}
	}
	return out
}

// need is one interface that must be there before a link is made.
type need struct{ path, netns, name string }

// needs lists what link i is built upon or is a port of.
func needs(links []Link, i int) []need {
	var out []need
	l := links[i]
	for _, lower := range l.Options.Lower() {
		out = append(out, need{fmt.Sprintf("[%d].parent", i), l.Netns, lower})
	}
	for _, e := range ends(links[i : i+1]) {
		if e.common.Master != "" {
			path := fmt.Sprintf("[%d]", i) + strings.TrimPrefix(e.path, "[0]") + ".master"
			out = append(out, need{path, e.common.Netns, e.common.Master})
		}
	}
	return out
}

// BuildOrder returns links so that parents and masters come before those that
// name them, and else as listed. Its error is a *KeyError: one that is missing,
// or a cycle.
func BuildOrder(links []Link) ([]Link, error) {
	makers := map[[2]string]int{}
	for _, e := range ends(links) {
		makers[[2]string{e.common.Netns, e.common.Name}] = e.link
	}
	o := ordering{links: links, makers: makers, state: make([]visit, len(links))}
	for i := range links {
		if err := o.add(i); err != nil {
			return nil, err
		}
	}
	return o.out, nil
}

// visit is how far a link has been ordered.
type visit int

const (
	notVisited visit = iota
	visiting
	visited
)

type ordering struct {
	links  []Link
	makers map[[2]string]int
	state  []visit
	out    []Link
}

func (o *ordering) add(i int) error {
	if o.state[i] == visited {
		return nil
	}
	o.state[i] = visiting
	for _, n := range needs(o.links, i) {
		at, ok := o.makers[[2]string{n.netns, n.name}]
		if !ok {
			return o.missing(n)
		}
		if o.state[at] == visiting {
			return wrong("links"+n.path, fmt.Sprintf("%s and %s are built upon each other", o.links[i].Name, n.name), "take one of the parents or masters away")
		}
		if err := o.add(at); err != nil {
			return err
		}
	}
	o.state[i] = visited
	o.out = append(o.out, o.links[i])
	return nil
}

func (o *ordering) missing(n need) error {
	return noLink("links"+n.path, n.netns, n.name, o.links)
}

// noLink says that a name stands for no link of a namespace.
func noLink(path, netns, name string, links []Link) error {
	var names []string
	what := fmt.Sprintf("no link %s in %s", shown(name), namespace(netns))
	for _, e := range ends(links) {
		// The link that asks is no answer.
		asks := strings.HasPrefix(path, "links"+e.path+".")
		if e.common.Netns == netns && !asks && !slices.Contains(names, e.common.Name) {
			names = append(names, e.common.Name)
		}
		if e.common.Name == name {
			return wrong(path, what, fmt.Sprintf("the one in %s cannot be reached from there; put both into one namespace", namespace(e.common.Netns)))
		}
	}
	if len(names) == 0 {
		return wrong(path, what, "list it under links")
	}
	return wrong(path, what, suggest(name, names))
}

// namespace is how messages call one.
func namespace(netns string) string {
	if netns == "" {
		return "the sandbox's own namespace"
	}
	return "namespace " + netns
}

// hasLink reports whether a namespace has a link.
func hasLink(links []Link, netns, name string) bool {
	return slices.ContainsFunc(ends(links), func(e end) bool {
		return e.common.Netns == netns && e.common.Name == name
	})
}
