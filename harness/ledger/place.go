// SPDX-License-Identifier: GPL-2.0-only

package ledger

import "net/netip"

// PlaceKind is the sort of a place an skb can be at.
type PlaceKind uint8

// The places, as far as tracepoints tell them.
const (
	// InQueue: given to a device, not to its driver: in the device's qdisc.
	InQueue PlaceKind = iota + 1
	// InDriver: given to the driver, which did not give it back.
	InDriver
	// InNeighbour: in the queue of a neighbour that does not answer.
	InNeighbour
	// InStack: charged, and no device saw it yet.
	InStack
	// InNFQueue: given to a listener, which has not said what to do with it.
	InNFQueue
	// Received: the stack took it from a device it arrived at.
	Received
	// InPolicy: in the queue of a policy that has no IPsec state yet.
	InPolicy
)

// Place is where an skb was last seen.
type Place struct {
	Kind PlaceKind
	Dev  string
	// Ifindex is the device's, where the kernel tells of its qdisc; else 0.
	Ifindex int32
	// Addr is the neighbour's.
	Addr netip.Addr
	// Queue is the NFQUEUE's number.
	Queue uint16
}

// Step is a moment in an skb's life.
type Step struct {
	At       int64
	Kind     Kind
	Place    Place
	RC       int32
	Location uint64
	Reason   uint32
	// Truesize is in bytes, 0 where the event does not tell.
	Truesize uint32
}

// maxSteps bounds what is kept of one life.
const maxSteps = 24

// life is one skb from its first device to its free.
type life struct {
	addr  uint64
	place Place
	// charged: it is the sender's own. A clone of it is not.
	charged bool
	// seen: a device was given it.
	seen bool
	// owned: its life begins with an Own, which the Charge of the same skb follows
	// on kernels where the one calls the other.
	owned bool
	// given: its charge was given back. It may still name its socket then, with a
	// destructor (skb_orphan_partial, which netem calls), and reads as if charged.
	given bool
	steps []Step
}

func (l *life) note(e Event) {
	if len(l.steps) < maxSteps {
		l.steps = append(l.steps, Step{
			At: e.At, Kind: e.Kind, Place: l.place, RC: e.RC, Location: e.Location, Reason: e.Reason, Truesize: e.Truesize,
		})
	}
}
