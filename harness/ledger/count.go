// SPDX-License-Identifier: GPL-2.0-only

package ledger

import "maps"

// Count is a number of skbs at a place.
type Count struct {
	Place Place
	// Charged are the sender's own, Clones what drivers made of them.
	Charged, Clones int
	// Read: each skb's charge was read. Charged are then those that have one,
	// Bytes what that is, and Loose the sender's own that live on without.
	Read  bool
	Bytes int64
	Loose int
}

// Charges is what each skb is charged with now, in bytes, by its address; one
// without a charge is not there. Nil says that nothing was read.
type Charges map[uint64]uint32

// Counts tells where everything is now, in no order.
func (b *Book) Counts(read Charges) []Count {
	at := map[Place]*Count{}
	get := func(p Place) *Count {
		if at[p] == nil {
			at[p] = &Count{Place: p, Read: read != nil}
		}
		return at[p]
	}
	for _, l := range b.live {
		c, bytes := get(l.place), read[l.addr]
		if l.given {
			bytes = 0
		}
		switch {
		case bytes > 0 || read == nil && l.charged:
			c.Charged++
			c.Bytes += int64(bytes)
		case l.charged:
			c.Loose++
		default:
			c.Clones++
		}
	}
	for p, n := range b.waiting {
		if n > 0 {
			get(p).Charged += n
		}
	}
	counts := make([]Count, 0, len(at))
	for c := range maps.Values(at) {
		counts = append(counts, *c)
	}
	return counts
}

// Alive are the addresses of all that is followed.
func (b *Book) Alive() []uint64 {
	out := make([]uint64, 0, len(b.live))
	for addr := range b.live {
		out = append(out, addr)
	}
	return out
}
