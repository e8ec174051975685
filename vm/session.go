// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"slices"
	"sync"

	"skleak/record"
	"skleak/scenarios"
)

// maxGuests bounds the guests of one Run.
const maxGuests = 16

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
	// crashes are what its console told of.
	crashes []record.Crash
	err     error
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
		crashes, err := s.one(ctx, list, p)
		select {
		case s.ends <- guestEnd{list, p, crashes, err}:
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
		return s.tell(end) && s.after(end.list, end.progress, end.err)
	case <-ctx.Done():
		s.yield(record.Event{}, ctx.Err())
		return false
	}
}

// tell hands on the crashes of a guest. The scenario of one is named if it alone
// was under way when the guest died of it.
func (s *session) tell(end guestEnd) bool {
	var underWay []string
	for _, sc := range end.list {
		if end.err != nil && end.progress.state[sc.Name] == begun {
			underWay = append(underWay, sc.Name)
		}
	}
	for _, crash := range end.crashes {
		if len(underWay) == 1 {
			crash.Scenario = underWay[0]
		} else {
			crash.Among = underWay
		}
		if !s.yield(record.Event{Kind: record.EventCrash, Crash: &crash}, nil) {
			return false
		}
	}
	return true
}

// one boots a guest for list, follows it to its end and reads of its crashes.
func (s *session) one(ctx context.Context, list []scenarios.Scenario, p *progress) ([]record.Crash, error) {
	v := s.vm
	v.all = list
	g, err := v.boot(request{Mode: ModeRun, Scenarios: list, Options: v.Options})
	if err != nil {
		return nil, err
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
	err = errors.Join(err, g.close())
	return g.log.Crashes(), err
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
	case e.Kind == record.EventPhase && e.Text == record.PhaseLater:
		p.state[e.Scenario] = waiting
	case p.state[e.Scenario] == waiting:
		p.state[e.Scenario] = begun
	}
}
