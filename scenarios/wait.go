// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"net/netip"
	"slices"
)

// MayWait guesses from what s is built of whether a sound kernel may hold what it
// sends, so that its run waits for the charge to go. It is for putting runs in
// order: a wrong guess costs time and changes no result.
func (s Scenario) MayWait() bool {
	return slices.ContainsFunc(s.Links, Link.mayWait) || s.mayAsk() ||
		slices.ContainsFunc(s.Filters, func(f Filter) bool { return f.Listener.mayKeep() })
}

// mayKeep reports a listener that withholds verdicts.
func (l *Listener) mayKeep() bool { return l != nil && (l.Verdict == "none" || len(l.Keep) > 0) }

// mayWait reports a link that may hold packets itself.
func (l Link) mayWait() bool {
	if slices.ContainsFunc(qdiscsOf(l), (*Qdisc).mayWait) {
		return true
	}
	switch o := l.Options.(type) {
	case *TunOptions:
		return o.Backpressure
	case *NicOptions:
		return o.mayWait()
	}
	return false
}

// mayWait reports a card whose driver keeps what it is given: until it is told
// that the cable is out, or for good where the card finishes nothing.
func (o *NicOptions) mayWait() bool {
	switch o.Fault.What {
	case FaultUnplugged:
		return o.Card().Cable
	case FaultMTU:
		return o.Card().MTU
	case FaultHung:
		return true
	}
	// Of the cards, virtio's alone waits for what is behind it.
	return o.Backend == BackendNone && o.Card().Module == "virtio_net"
}

// mayWait reports a qdisc that waits for something: a rate, a time, a release.
func (q *Qdisc) mayWait() bool {
	return q != nil && QdiscKind(q.Kind()).Holds
}

// mayAsk reports packets, or the outer ones of a tunnel, for a neighbour that
// has to be asked for.
func (s Scenario) mayAsk() bool {
	asked := unicast(s.Traffic.To)
	for _, l := range s.Links {
		peer := PeerOf(l)
		if len(l.Neighbours) > 0 || peer != nil && len(peer.Neighbours) > 0 {
			return false
		}
		if o, ok := l.Options.(*VxlanOptions); ok {
			asked = asked || unicast(o.Remote)
		}
	}
	return asked
}

func unicast(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && !a.IsMulticast()
}
