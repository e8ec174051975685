// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"slices"

	"skleak/harness/ledger/probes"
)

// What a ledger was kept with.
const (
	byTracepoints = "perf tracepoints"
	byBoth        = "perf tracepoints and BPF"
)

// probe is the ledger's side of the BPF programs. A nil *probe does nothing.
type probe struct {
	feed *probes.Feed
	stream
	// answers are what skbs are charged with, as far as asked.
	answers Charges
	samples uint64
}

func openProbe(ids *probes.IDs) (*probe, error) {
	if ids == nil {
		return nil, nil //nolint:nilnil // a nil *probe is the ledger without BPF
	}
	feed, err := probes.Open(*ids)
	if err != nil {
		return nil, err
	}
	return newProbe(feed), nil
}

func newProbe(feed *probes.Feed) *probe { return &probe{feed: feed, answers: Charges{}} }

func (p *probe) own(cookie uint64) error {
	if p == nil {
		return nil
	}
	return p.feed.Own(cookie)
}

func (p *probe) Close() error {
	if p == nil {
		return nil
	}
	return p.feed.Close()
}

// drain takes all events that are there. Processors share the ring, so what two
// of them did at once is put in order.
func (p *probe) drain() error {
	if p == nil {
		return nil
	}
	err := p.feed.Drain(p.take)
	slices.SortStableFunc(p.pending, func(a, b Event) int { return int(a.At - b.At) })
	return err
}

func (p *probe) take(e probes.Event) {
	if e.Kind == probes.Reading {
		p.answers[e.Skb] = e.Truesize
		return
	}
	p.samples++
	p.pending = append(p.pending, event(e))
}

func (p *probe) streams() []*stream {
	if p == nil {
		return nil
	}
	return []*stream{&p.stream}
}

// lost is how many events the kernel dropped.
func (p *probe) lost(trouble *error) uint64 {
	n, err := p.feed.Lost()
	if err != nil {
		*trouble = errors.Join(*trouble, err)
	}
	return n
}

// event is e as the book takes it.
func event(e probes.Event) Event {
	return Event{
		Kind: kindOf(e.Kind), At: e.At, PID: e.PID, TID: e.TID, CPU: e.CPU,
		Skb: e.Skb, Parent: e.Parent, Len: e.Len, Truesize: e.Truesize,
		Dev: e.Dev, Ifindex: e.Ifindex, Addr: e.Addr, Queue: e.Queue,
	}
}

func kindOf(k probes.Kind) Kind {
	switch k {
	case probes.Charge:
		return Charge
	case probes.Own:
		return Own
	case probes.Uncharge:
		return Uncharge
	case probes.Clone:
		return Clone
	case probes.Neighbour:
		return Unresolved
	case probes.NFQueue:
		return Listener
	case probes.XFRM:
		return Policy
	default:
		return 0
	}
}

// charges reads what each skb that is followed is charged with now; nil where
// that cannot be done. The caller holds the lock.
func (l *Ledger) charges() Charges {
	if l.probe == nil {
		return nil
	}
	l.probe.answers = Charges{}
	for i, addr := range l.book.Alive() {
		err := l.probe.feed.Ask(addr)
		// The ring holds far more answers than are left in it here.
		if err == nil && i%1000 == 999 {
			err = l.probe.drain()
		}
		if err != nil {
			l.err = errors.Join(l.err, err)
			return l.probe.answers
		}
	}
	if err := l.probe.drain(); err != nil {
		l.err = errors.Join(l.err, err)
	}
	return l.probe.answers
}
