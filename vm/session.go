package vm

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"skleak/record"
	"skleak/scenarios"
)

const (
	// maxGuests bounds the guests of one Run.
	maxGuests = 16
	// worthAGuest is how many scenarios are worth booting another guest for.
	worthAGuest = 12
)

// session is one Run.
type session struct {
	vm    VM
	yield func(record.Event, error) bool
	// todo are lists of scenarios, each for a guest of its own.
	todo   [][]scenarios.Scenario
	guests int
	// said is set when a guest has said anything.
	said bool

	events chan sessionEvent
	ends   chan guestEnd
	open   int
	wg     sync.WaitGroup
}

// sessionEvent is an event with the progress it belongs to.
type sessionEvent struct {
	event    record.Event
	progress *progress
}

// guestEnd is how a guest ended.
type guestEnd struct {
	list     []scenarios.Scenario
	progress *progress
	err      error
}

// deal shares list among up to n guests so that all should be done at the same
// time. Of three or more the latter half gets all network cards, whose drivers
// and links only they must wait for. Of the others half get what may hold: those
// wait at their end for charges to go by themselves, when the rest is at work.
// Scenarios of a kind stay together, so that a guest loads fewer modules and runs
// the same code again.
func deal(list []scenarios.Scenario, n int) [][]scenarios.Scenario {
	n = max(1, min(n, len(list)/worthAGuest))
	d := dealer{parts: make([][]scenarios.Scenario, n), loads: make([]float64, n)}
	cards, holders, others := map[string][]scenarios.Scenario{}, map[string][]scenarios.Scenario{}, map[string][]scenarios.Scenario{}
	for _, sc := range list {
		to, kind := others, family(sc)
		switch {
		case hasCard(sc):
			to, kind = cards, cardModel(sc)
		case sc.MayHold():
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
		if slices.ContainsFunc(part, scenarios.Scenario.MayHold) {
			d.loads[i] += waitAtEnd
		}
	}
	d.give(0, n, others)
	return d.parts
}

// dealer is what each guest has been given.
type dealer struct {
	parts [][]scenarios.Scenario
	loads []float64
}

// give gives the kinds, the heaviest first, each to the guest of [from, to) that
// has least to do. A kind that is more than half of a guest's share is cut.
func (d dealer) give(from, to int, kinds map[string][]scenarios.Scenario) {
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

func family(sc scenarios.Scenario) string {
	name, _, _ := strings.Cut(sc.Name, "/")
	return name
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
	case sc.MayHold():
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

// run keeps up to so many guests going until nothing is left to do.
func (s *session) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	most := len(s.todo)
	defer s.wg.Wait()
	defer cancel()
	for s.open > 0 || len(s.todo) > 0 {
		for s.open < most && len(s.todo) > 0 {
			if !s.start(ctx) {
				return
			}
		}
		if s.open > 0 && !s.next(ctx) {
			return
		}
	}
}

// start boots a guest for the next list, if there may be another one.
func (s *session) start(ctx context.Context) bool {
	list := s.todo[0]
	s.todo = s.todo[1:]
	if s.guests == maxGuests {
		return s.trouble(list, "not run: the guest died too often before")
	}
	s.guests++
	s.open++
	s.wg.Go(func() {
		p := &progress{state: map[string]stage{}}
		err := s.one(ctx, list, p)
		select {
		case s.ends <- guestEnd{list, p, err}:
		case <-ctx.Done():
		}
	})
	return true
}

// next deals with what comes next of any guest, and is false when no more is
// wanted or possible.
func (s *session) next(ctx context.Context) bool {
	select {
	case e := <-s.events:
		s.said = true
		e.progress.see(e.event)
		return s.yield(s.vm.signed(e.event), nil)
	case end := <-s.ends:
		s.open--
		if end.err != nil && !s.said {
			s.yield(record.Event{}, end.err)
			return false
		}
		return s.after(end.list, end.progress, end.err)
	case <-ctx.Done():
		s.yield(record.Event{}, ctx.Err())
		return false
	}
}

// one boots a guest for list and follows it to its end.
func (s *session) one(ctx context.Context, list []scenarios.Scenario, p *progress) error {
	v := s.vm
	v.all = list
	g, err := v.boot(request{Mode: ModeRun, Scenarios: list, Options: v.Options})
	if err != nil {
		return err
	}
	hand := func(e record.Event) bool {
		select {
		case s.events <- sessionEvent{e, p}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err = g.follow(ctx, func(e record.Event) bool {
		if e.Kind != record.EventAsk {
			return hand(e)
		}
		if err := g.cards.answer(e.Text); err != nil {
			return hand(record.Event{Kind: record.EventNote, Text: err.Error()})
		}
		return true
	})
	return errors.Join(err, g.close())
}

// after decides what becomes of what a guest did not finish.
func (s *session) after(list []scenarios.Scenario, p *progress, err error) bool {
	var underWay, rest []scenarios.Scenario
	for _, sc := range list {
		switch p.state[sc.Name] {
		case begun:
			underWay = append(underWay, sc)
		case waiting:
			rest = append(rest, sc)
		}
	}
	if err == nil {
		return s.trouble(append(underWay, rest...), "the guest ended without a word on it")
	}
	switch {
	case len(underWay) == 1:
		if !s.trouble(underWay, Explain(err)) {
			return false
		}
	case len(underWay) > 1:
		for _, sc := range underWay {
			s.todo = append(s.todo, []scenarios.Scenario{sc})
		}
	case len(rest) == len(list):
		return s.trouble(rest, Explain(err))
	}
	if len(rest) > 0 {
		s.todo = slices.Insert(s.todo, 0, rest)
	}
	return true
}

func (s *session) trouble(list []scenarios.Scenario, text string) bool {
	for _, sc := range list {
		if !s.yield(record.Event{Kind: record.EventTrouble, Scenario: sc.Name, Text: text}, nil) {
			return false
		}
	}
	return true
}

// stage is how far a scenario is.
type stage int

const (
	waiting stage = iota
	begun
	ended
)

// progress follows the scenarios of one guest.
type progress struct{ state map[string]stage }

func (p *progress) see(e record.Event) {
	switch {
	case e.Scenario == "":
	case e.Ends():
		p.state[e.Scenario] = ended
	case p.state[e.Scenario] == waiting:
		p.state[e.Scenario] = begun
	}
}
