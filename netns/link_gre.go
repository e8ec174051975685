package netns

import (
	"net"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// createGre makes a gre tunnel (net/ipv4/ip_gre.c).
func (w *World) createGre(lk *link, o *scenarios.GreOptions) error {
	parent, index, err := w.underlay(lk, o)
	if err != nil {
		return err
	}
	return lk.add(&netlink.Gretun{
		LinkAttrs: lk.attrs(nil), Link: index, PMtuDisc: 1,
		Local: net.ParseIP(o.Local), Remote: net.ParseIP(o.Remote),
	}, parent)
}

// underlay is the parent of a gre, gretap or ipip tunnel, and the index it is
// bound to, 0 for none.
func (w *World) underlay(lk *link, o *scenarios.GreOptions) (*link, uint32, error) {
	parent, err := w.parent(lk, o.Parent)
	if err != nil || parent == nil {
		return nil, 0, err
	}
	return parent, uint32(parent.index), nil
}
