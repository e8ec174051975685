// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"net/netip"
	"slices"
	"testing"

	"skleak/record"
)

const (
	sender = 100
	other  = 200
)

// at gives events times one after the other and the sender's thread.
func at(events ...Event) []Event {
	for i := range events {
		events[i].At = int64(i+1) * 1000
		if events[i].PID == 0 {
			events[i].PID, events[i].TID = sender, sender
		}
	}
	return events
}

func queue(skb uint64, dev string) Event { return Event{Kind: Queue, Skb: skb, Dev: dev, Len: 78} }
func start(skb uint64, dev string) Event { return Event{Kind: Start, Skb: skb, Dev: dev, Len: 78} }
func xmit(skb uint64, dev string, rc int32) Event {
	return Event{Kind: Xmit, Skb: skb, Dev: dev, RC: rc}
}
func receive(skb uint64, dev string) Event { return Event{Kind: Receive, Skb: skb, Dev: dev} }
func free(skb uint64) Event                { return Event{Kind: Consume, Skb: skb} }
func waits(dev string) Event {
	return Event{Kind: Neighbour, Dev: dev, RC: 1, Addr: netip.MustParseAddr("10.0.0.2")}
}
func by(pid int32, e Event) Event { e.PID, e.TID = pid, pid; return e }
func softly(e Event) Event        { e.Interrupt = true; return e }

func TestBook(t *testing.T) {
	inQueue := func(dev string) Place { return Place{Kind: InQueue, Dev: dev} }
	inDriver := func(dev string) Place { return Place{Kind: InDriver, Dev: dev} }
	neighbour := Place{Kind: InNeighbour, Dev: "v0", Addr: netip.MustParseAddr("10.0.0.2")}
	tests := []struct {
		name   string
		events []Event
		want   []Count
		seen   int
		unseen int
	}{
		{"in a qdisc", at(queue(1, "v0")), []Count{{Place: inQueue("v0"), Charged: 1}}, 1, 0},
		{"freed", at(queue(1, "v0"), free(1)), nil, 1, 0},
		{"kept by a driver", at(queue(1, "v0"), start(1, "v0"), xmit(1, "v0", 0)), []Count{{Place: inDriver("v0"), Charged: 1}}, 1, 0},
		{
			"across a veth to its peer", at(queue(1, "v0"), start(1, "v0"), receive(1, "v1"), xmit(1, "v0", 0)),
			[]Count{{Place: Place{Kind: Received, Dev: "v1"}, Charged: 1}}, 1, 0,
		},
		{
			"across a veth and on", at(queue(1, "v0"), start(1, "v0"), xmit(1, "v0", 0), receive(1, "v1"), softly(queue(1, "w0"))),
			[]Count{{Place: inQueue("w0"), Charged: 1}}, 1, 0,
		},
		{"another's, received", at(receive(1, "v1")), nil, 0, 0},
		{"given back by a driver", at(queue(1, "v0"), start(1, "v0"), xmit(1, "v0", netdevTxBusy)), []Count{{Place: inQueue("v0"), Charged: 1}}, 1, 0},
		{"down a stack", at(queue(1, "b0"), start(1, "b0"), queue(1, "v0"), xmit(1, "b0", 0)), []Count{{Place: inQueue("v0"), Charged: 1}}, 1, 0},
		{
			"a clone is not charged", at(queue(1, "b0"), start(1, "b0"), queue(2, "v0"), queue(1, "w0"), xmit(1, "b0", 0)),
			[]Count{{Place: inQueue("v0"), Clones: 1}, {Place: inQueue("w0"), Charged: 1}}, 1, 0,
		},
		{
			"a copy takes the place of what it was made of", at(queue(1, "m0"), start(1, "m0"), free(1), queue(2, "v0"), xmit(1, "m0", 0)),
			[]Count{{Place: inQueue("v0"), Charged: 1}}, 1, 0,
		},
		{
			"in a neighbour's queue below a tunnel", at(queue(1, "vx0"), start(1, "vx0"), waits("v0"), xmit(1, "vx0", 0)),
			[]Count{{Place: neighbour, Charged: 1}}, 1, 0,
		},
		{"in a neighbour's queue, no device yet", at(waits("v0"), waits("v0")), []Count{{Place: neighbour, Charged: 2}}, 0, 0},
		{
			"out of a neighbour's queue",
			at(waits("v0"), waits("v0"), Event{Kind: Drop, Skb: 9, Protocol: etherIPv4}),
			[]Count{{Place: neighbour, Charged: 1}}, 0, 0,
		},
		{"another's neighbour", at(by(other, waits("v0"))), nil, 0, 0},
		{"another's drop is not ours", at(waits("v0"), by(other, Event{Kind: Drop, Skb: 9, Protocol: etherIPv4})), []Count{{Place: neighbour, Charged: 1}}, 0, 0},
		{"another's skb", at(by(other, queue(1, "v0"))), nil, 0, 0},
		{"another's, in an interrupt on our thread", at(softly(queue(1, "v0"))), nil, 0, 0},
		{"another length: the kernel's own ARP", at(Event{Kind: Queue, Skb: 1, Dev: "v0", Len: 42}), nil, 0, 0},
		{"on from a work queue", at(queue(1, "i0"), start(1, "i0"), xmit(1, "i0", 0), by(other, queue(1, "v0"))), []Count{{Place: inQueue("v0"), Charged: 1}}, 1, 0},
		{"the address again, freed where nobody saw", at(queue(1, "v0"), queue(1, "v0")), []Count{{Place: inQueue("v0"), Charged: 1}}, 2, 1},
		{"the address again after its free", at(queue(1, "v0"), free(1), queue(1, "v0")), []Count{{Place: inQueue("v0"), Charged: 1}}, 2, 0},
		{"freed twice, as while call chains are turned on", at(queue(1, "v0"), free(1), free(1)), nil, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBook(Rules{PID: sender, Lengths: []uint32{64, 78}})
			for _, e := range tt.events {
				b.Add(e)
			}
			got := b.Counts(nil)
			slices.SortFunc(got, func(a, b Count) int {
				return len(a.Place.Dev) - len(b.Place.Dev) + int(a.Place.Dev[0]) - int(b.Place.Dev[0])
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("counts %+v, want %+v", got, tt.want)
			}
			if b.seen != tt.seen || b.unseen != tt.unseen || b.late != 0 {
				t.Errorf("seen %d, unseen %d, late %d; want %d, %d, 0", b.seen, b.unseen, b.late, tt.seen, tt.unseen)
			}
		})
	}
}

func TestBookOutOfOrder(t *testing.T) {
	b := NewBook(Rules{PID: sender})
	b.Add(Event{Kind: Queue, Skb: 1, At: 2 * lateAfter, PID: sender})
	b.Add(Event{Kind: Consume, Skb: 9, At: 2*lateAfter - 10})
	if b.late != 0 {
		t.Error("an interrupt's difference counts as late")
	}
	b.Add(Event{Kind: Consume, Skb: 1, At: 1})
	if b.late != 1 {
		t.Errorf("late = %d, want 1", b.late)
	}
}

// A driver whose end was lost must not make clones of all that comes after.
func TestBookForgetsLostNests(t *testing.T) {
	b := NewBook(Rules{PID: sender})
	for _, e := range at(queue(1, "v0"), start(1, "v0")) {
		b.Add(e)
	}
	b.Lose()
	b.Add(Event{Kind: Queue, Skb: 2, Dev: "v0", At: 9000, PID: sender, TID: sender})
	for _, c := range b.Counts(nil) {
		if c.Clones != 0 {
			t.Errorf("counts %+v", b.Counts(nil))
		}
	}
}

func TestFreesAreToldApart(t *testing.T) {
	b := NewBook(Rules{PID: sender})
	drop := func(skb, location uint64, chain ...uint64) Event {
		return Event{Kind: Drop, Skb: skb, Location: location, Reason: 2, Chain: chain}
	}
	for _, e := range at(queue(1, "v0"), queue(2, "v0"), queue(3, "v0"), drop(1, 7, 7, 8), drop(2, 7, 7, 8), drop(3, 7, 7, 9), drop(4, 7, 7, 8)) {
		b.Add(e)
	}
	counts := map[uint64]int{}
	for _, f := range b.TakeFrees() {
		counts[f.Chain[1]] = f.Count
		if f.From != (Place{Kind: InQueue, Dev: "v0"}) {
			t.Errorf("from %+v", f.From)
		}
	}
	if len(counts) != 2 || counts[8] != 2 || counts[9] != 1 {
		t.Errorf("frees by caller %v", counts)
	}
	if left := b.TakeFrees(); len(left) != 0 {
		t.Errorf("told twice: %v", left)
	}
}

func TestKeptLife(t *testing.T) {
	b := NewBook(Rules{PID: sender})
	for _, e := range at(queue(1, "v0"), free(1), queue(2, "v0"), queue(3, "v0")) {
		b.Add(e)
	}
	if got := b.Life(); len(got) != 2 || got[1].Kind != Consume {
		t.Errorf("the first packet's life: %+v", got)
	}
	b.KeepHeld()
	b.Add(Event{Kind: Drop, Skb: 2, At: 9000})
	if got := b.Life(); len(got) != 2 || got[0].At != 3000 || got[1].Kind != Drop {
		t.Errorf("the held packet's life: %+v", got)
	}
}

func TestBalance(t *testing.T) {
	tbf := record.LedgerPlace{Place: "qdisc tbf on v0", Count: 10, Charged: true, Bytes: 8320}
	ring := record.LedgerPlace{Place: "reader of t0", Count: 500}
	tests := []struct {
		name       string
		ledger     record.Ledger
		h          Holding
		gap        int64
		places     int
		incomplete bool
	}{
		{"all found", record.Ledger{Places: []record.LedgerPlace{ring, tbf}}, Holding{Charge: 8320, Truesize: 832}, 0, 2, false},
		{"one not found", record.Ledger{Places: []record.LedgerPlace{tbf}}, Holding{Charge: 9152, Truesize: 832}, 832, 1, true},
		{"one too many", record.Ledger{Places: []record.LedgerPlace{tbf}}, Holding{Charge: 7488, Truesize: 832}, -832, 1, true},
		{"in an NFQUEUE", record.Ledger{}, Holding{Charge: 1664, Truesize: 832, Queues: []Backlog{{3, 2}, {4, 0}}}, 0, 1, false},
		{"the rest in an NFQUEUE", record.Ledger{Places: []record.LedgerPlace{tbf}}, Holding{Charge: 9152, Truesize: 832, Queues: []Backlog{{3, 1}}}, 0, 2, false},
		{"an NFQUEUE that does not explain it", record.Ledger{}, Holding{Charge: 1664, Truesize: 832, Queues: []Backlog{{3, 1}}}, 1664, 0, true},
		{"samples lost", record.Ledger{Lost: 1, Places: []record.LedgerPlace{tbf}}, Holding{Charge: 8320, Truesize: 832}, 0, 1, true},
		{"truesize unknown", record.Ledger{Places: []record.LedgerPlace{{Place: tbf.Place, Count: 10, Charged: true}}}, Holding{Charge: 8320}, 8320, 1, true},
		{"nothing", record.Ledger{}, Holding{Truesize: 832}, 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.ledger
			balance(&l, tt.h)
			if l.Gap != tt.gap || len(l.Places) != tt.places || (l.Incomplete != "") != tt.incomplete {
				t.Errorf("gap %d, places %+v, incomplete %q", l.Gap, l.Places, l.Incomplete)
			}
		})
	}
}
