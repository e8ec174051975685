// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"net/netip"
	"slices"
	"testing"

	"skleak/harness/ledger/probes"
)

func charge(skb uint64) Event   { return Event{Kind: Charge, Skb: skb, Truesize: 768} }
func own(skb uint64) Event      { return Event{Kind: Own, Skb: skb, Truesize: 768} }
func uncharge(skb uint64) Event { return Event{Kind: Uncharge, Skb: skb, Truesize: 768} }
func clone(skb, parent uint64) Event {
	return Event{Kind: Clone, Skb: skb, Parent: parent}
}
func unresolved(skb uint64) Event {
	return Event{Kind: Unresolved, Skb: skb, Dev: "v0", Ifindex: 2, Addr: netip.MustParseAddr("10.0.0.2")}
}
func listener(skb uint64) Event { return Event{Kind: Listener, Skb: skb, Queue: 3} }

// With BPF programs a life begins with its charge, wherever it waits then.
func TestBookProbed(t *testing.T) {
	stack, queue3 := Place{Kind: InStack}, Place{Kind: InNFQueue, Queue: 3}
	neighbour := Place{Kind: InNeighbour, Dev: "v0", Ifindex: 2, Addr: netip.MustParseAddr("10.0.0.2")}
	inTun := Place{Kind: InDriver, Dev: "t0"}
	inQueue := Place{Kind: InQueue, Dev: "v0"}
	held := func(p Place, n int) Count {
		return Count{Place: p, Read: true, Charged: n, Bytes: int64(n) * 768}
	}
	tests := []struct {
		name   string
		events []Event
		// read are the skbs that are charged when asked.
		read         []uint64
		want         []Count
		seen, unseen int
	}{
		{"no device yet", at(charge(1)), []uint64{1}, []Count{held(stack, 1)}, 0, 0},
		{"never sent", at(charge(1), free(1), uncharge(1)), nil, nil, 0, 0},
		{"in a neighbour's queue", at(charge(1), unresolved(1)), []uint64{1}, []Count{held(neighbour, 1)}, 0, 0},
		{"below a tunnel", at(charge(1), queue(1, "vx0"), start(1, "vx0"), unresolved(1), xmit(1, "vx0", 0)), []uint64{1}, []Count{held(neighbour, 1)}, 1, 0},
		{"given to a listener", at(charge(1), listener(1)), []uint64{1}, []Count{held(queue3, 1)}, 0, 0},
		{"accepted by a listener", at(charge(1), listener(1), by(other, queue(1, "v0"))), []uint64{1}, []Count{held(inQueue, 1)}, 1, 0},
		{"waiting for an IPsec state", at(charge(1), Event{Kind: Policy, Skb: 1}), []uint64{1}, []Count{held(Place{Kind: InPolicy}, 1)}, 0, 0},
		{
			"in a TUN's ring", at(charge(1), queue(1, "t0"), start(1, "t0"), uncharge(1), xmit(1, "t0", 0)),
			nil, []Count{{Place: inTun, Read: true, Loose: 1}}, 1, 0,
		},
		{
			"orphaned in part, in netem", at(charge(1), queue(1, "v0"), uncharge(1)),
			[]uint64{1}, []Count{{Place: inQueue, Read: true, Loose: 1}}, 1, 0,
		},
		{
			"charged anew", at(charge(1), queue(1, "v0"), uncharge(1), own(1)),
			[]uint64{1}, []Count{held(inQueue, 1)}, 1, 0,
		},
		{
			"a TUN that does not orphan", at(charge(1), queue(1, "t0"), start(1, "t0"), xmit(1, "t0", 0)),
			[]uint64{1}, []Count{held(inTun, 1)}, 1, 0,
		},
		{
			"a clone outlives what it was made of", at(charge(1), clone(2, 1), free(1)),
			nil, []Count{{Place: stack, Read: true, Clones: 1}}, 0, 0,
		},
		{"another's clone", at(clone(2, 1)), nil, nil, 0, 0},
		{
			"a clone that takes the charge over", at(charge(1), clone(2, 1), own(2), free(1), queue(2, "v0")),
			[]uint64{2}, []Count{held(inQueue, 1)}, 1, 0,
		},
		{"charged by a function within", at(own(1), charge(1)), []uint64{1}, []Count{held(stack, 1)}, 0, 0},
		{"a fragment", at(own(1), queue(1, "v0"), start(1, "v0")), []uint64{1}, []Count{held(Place{Kind: InDriver, Dev: "v0"}, 1)}, 1, 0},
		{"a fragment first seen in a queue", at(listener(1)), []uint64{1}, []Count{held(queue3, 1)}, 0, 0},
		{"the address again, freed where nobody saw", at(charge(1), queue(1, "v0"), charge(1)), []uint64{1}, []Count{held(stack, 1)}, 1, 1},
		{"a fragment's address again", at(own(1), queue(1, "v0"), charge(1)), []uint64{1}, []Count{held(stack, 1)}, 1, 1},
		{"the charge of what is not known", at(uncharge(1)), nil, nil, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBook(Rules{PID: sender, Lengths: []uint32{64, 78}})
			for _, e := range tt.events {
				b.Add(e)
			}
			read := Charges{}
			for _, addr := range tt.read {
				if !slices.Contains(b.Alive(), addr) {
					t.Errorf("nobody would ask what %d is charged with", addr)
				}
				read[addr] = 768
			}
			if got := b.Counts(read); !slices.Equal(got, tt.want) {
				t.Errorf("counts %+v, want %+v", got, tt.want)
			}
			if b.seen != tt.seen || b.unseen != tt.unseen {
				t.Errorf("seen %d, unseen %d; want %d, %d", b.seen, b.unseen, tt.seen, tt.unseen)
			}
		})
	}
}

// Each skb's own truesize counts, not the calibrated one.
func TestCountsReadCharges(t *testing.T) {
	b := NewBook(Rules{PID: sender})
	for _, e := range at(charge(1), charge(2), charge(3)) {
		b.Add(e)
	}
	want := Count{Place: Place{Kind: InStack}, Read: true, Charged: 2, Loose: 1, Bytes: 768 + 2304}
	if got := b.Counts(Charges{1: 768, 2: 2304}); len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// An answer may come when nobody asked: one that was still in the ring.
func TestProbeTakesLateAnswers(t *testing.T) {
	p := newProbe(nil)
	p.take(probes.Event{Kind: probes.Reading, Skb: 7, Truesize: 768})
	p.take(probes.Event{Kind: probes.Charge, Skb: 8, Truesize: 768})
	if p.answers[7] != 768 || p.samples != 1 || len(p.pending) != 1 {
		t.Errorf("answers %v, %d samples", p.answers, p.samples)
	}
}
