// SPDX-License-Identifier: GPL-2.0-only

package ledger

// probed counts what BPF programs tell.
func (b *Book) probed(e Event) {
	l := b.live[e.Skb]
	switch e.Kind {
	case Charge:
		b.charge(e, l)
	case Own:
		b.own(e, l)
	case Uncharge:
		if l != nil {
			l.given = true
			l.note(e)
		}
	case Clone:
		b.clone(e)
	case Unresolved:
		b.rest(e, Place{Kind: InNeighbour, Dev: e.Dev, Ifindex: e.Ifindex, Addr: e.Addr})
	case Listener:
		b.rest(e, Place{Kind: InNFQueue, Queue: e.Queue})
	case Policy:
		b.rest(e, Place{Kind: InPolicy})
	}
}

// charge begins a life. An address that is charged anew was freed where no
// tracepoint tells.
func (b *Book) charge(e Event, l *life) {
	if l != nil && l.owned && len(l.steps) == 1 {
		return
	}
	if l != nil {
		b.unseen++
	}
	b.beginCharged(e)
}

func (b *Book) beginCharged(e Event) *life {
	l := &life{addr: e.Skb, charged: true, place: Place{Kind: InStack}}
	l.note(e)
	b.enter(l)
	return l
}

// own: a fragment, a copy that takes its first's place, or the first half of a
// Charge.
func (b *Book) own(e Event, l *life) {
	if l == nil {
		b.beginCharged(e).owned = true
		return
	}
	l.charged, l.given = true, false
	l.note(e)
}

// clone begins the life of what was made of one of ours, where that is.
func (b *Book) clone(e Event) {
	parent := b.live[e.Parent]
	if parent == nil {
		return
	}
	l := &life{addr: e.Skb, place: parent.place}
	l.note(e)
	b.enter(l)
}

// rest: it waits where no device has it. A fragment's life may begin here.
func (b *Book) rest(e Event, at Place) {
	l := b.live[e.Skb]
	if l == nil {
		l = b.beginCharged(e)
	}
	l.place = at
	l.note(e)
}
