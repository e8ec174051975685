// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"cmp"
	"maps"
	"slices"

	"skleak/scenarios"
)

// worthAGuest is how many scenarios are worth booting another guest for.
const worthAGuest = 12

// deal shares list among up to n guests so that all should be done at the same
// time. Of three or more the latter half gets all network cards, whose drivers
// and links only they must wait for. Of the others half get what may hold: those
// wait at their end for charges to go by themselves, when the rest is at work.
// Scenarios of a kind stay together, so that a guest loads fewer modules and runs
// the same code again.
func deal(list []scenarios.Scenario, n int) [][]scenarios.Scenario {
	n = max(1, min(n, len(list)/worthAGuest))
	d := scheduler{parts: make([][]scenarios.Scenario, n), loads: make([]float64, n)}
	cards, holders, others := byKind{}, byKind{}, byKind{}
	for _, sc := range list {
		to, kind := others, sc.Family()
		switch {
		case hasCard(sc):
			to, kind = cards, cardModel(sc)
		case sc.MayWait():
			to = holders
		}
		to[kind] = append(to[kind], sc)
	}
	cardGuests, plain := n, n
	if n > 2 && len(cards) > 0 {
		cardGuests = n / 2
		plain = n - cardGuests
	}
	d.give(n-cardGuests, n, cards)
	d.give(plain/2, plain, holders)
	for i, part := range d.parts {
		if slices.ContainsFunc(part, scenarios.Scenario.MayWait) {
			d.loads[i] += waitAtEnd
		}
	}
	d.give(0, n, others)
	return d.parts
}

// byKind is scenarios by their family, or by the model of their card.
type byKind map[string][]scenarios.Scenario

// scheduler is what each guest has been given.
type scheduler struct {
	parts [][]scenarios.Scenario
	loads []float64
}

// give gives the kinds, the heaviest first, each to the guest of [from, to) that
// has least to do. A kind that is more than half of a guest's share is cut.
func (d scheduler) give(from, to int, kinds byKind) {
	all := 0.0
	for _, list := range kinds {
		all += loadOf(list)
	}
	var pieces [][]scenarios.Scenario
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		list := kinds[kind]
		cuts := int(2*float64(to-from)*loadOf(list)/all) + 1
		for piece := range slices.Chunk(list, (len(list)+cuts-1)/cuts) {
			pieces = append(pieces, piece)
		}
	}
	slices.SortStableFunc(pieces, func(a, b []scenarios.Scenario) int { return cmp.Compare(loadOf(b), loadOf(a)) })
	for _, piece := range pieces {
		least := from
		for i := from; i < to; i++ {
			if d.loads[i] < d.loads[least] {
				least = i
			}
		}
		d.parts[least] = append(d.parts[least], piece...)
		d.loads[least] += loadOf(piece)
	}
}

// Loads, measured without KVM: how long a scenario keeps its guest busy, where
// most take 1.
const (
	// waitAtEnd is what a guest could do while the last of what it holds goes by
	// itself, or does not.
	waitAtEnd = 18
	// ownLoad is that of a scenario that sends nothing, packetLoad that of a packet.
	ownLoad    = 0.6
	packetLoad = 0.4 / scenarios.DefaultCount
	// pacedLoad is a second of paced sending.
	pacedLoad = 5
	// cardLoad is the wait for a card's link.
	cardLoad = 1.5
)

func load(sc scenarios.Scenario) float64 {
	t, l := sc.Traffic, ownLoad
	switch {
	case t.Rate > 0 && t.Count > 0:
		l += pacedLoad * float64(t.Count) / t.Rate
	case sc.MayWait():
		// It stops when the socket is full.
	default:
		l += packetLoad * float64(t.Count)
	}
	if hasCard(sc) {
		l += cardLoad
	}
	return l
}

func loadOf(list []scenarios.Scenario) (sum float64) {
	for _, sc := range list {
		sum += load(sc)
	}
	return sum
}
