// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// toQueue is a rule on what leaves by v0, with a listener unless verdict is "".
func toQueue(number int, verdict string, keep ...int) scenarios.Filter {
	f := scenarios.Filter{Hook: "output", Link: "v0", Action: actionNfqueue, Queue: number}
	if verdict != "" {
		f.Listener = &scenarios.Listener{Verdict: verdict, Keep: keep}
	}
	return f
}

func mustFilters(t *testing.T, s *space, fs ...scenarios.Filter) *filters {
	t.Helper()
	f, err := addFilters(t.Context(), s, fs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := f.Close(); err != nil {
				t.Errorf("close filters: %v", err)
			}
		}
	})
	return f
}

func TestNfqueueHolds(t *testing.T) {
	for _, c := range []struct {
		name    string
		release func(*filters) error
	}{
		{"verdicts given", func(f *filters) error { return f.queues()[0].giveVerdicts() }},
		{"listener ended", func(f *filters) error { return f.queues()[0].close() }},
		{"rules flushed", func(f *filters) error { return f.flush() }},
		{"closed", func(f *filters) error { return f.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := emptySpace(t)
			addVeth(t, s)
			f := mustFilters(t, s, toQueue(7, verdictNone))
			snd := newSender(t, s, "v0")
			answers := snd.send(3000, false)
			if answers[nil] == 0 || answers[unix.EAGAIN] == 0 || answers[nil]+answers[unix.EAGAIN] != 3000 {
				t.Errorf("answers %v, want success until the socket is full", answers)
			}
			if got := snd.charge(); got < 100_000 {
				t.Errorf("%d bytes charged, want a full socket", got)
			}
			if !f.queues()[0].listening() || f.queues()[0].Number != 7 {
				t.Errorf("queue %d, listening %v", f.queues()[0].Number, f.queues()[0].listening())
			}
			if err := c.release(f); err != nil {
				t.Fatal(err)
			}
			within(t, "charge gone", func() bool { return snd.charge() == 0 })
		})
	}
}

// A queue whose verdicts were given once goes on to give them.
func TestNfqueueAfterVerdicts(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	q := mustFilters(t, s, toQueue(0, verdictNone)).queues()[0]
	snd := newSender(t, s, "v0")
	if err := q.giveVerdicts(); err != nil {
		t.Fatalf("with nothing withheld: %v", err)
	}
	snd.send(500, true)
	within(t, "charge gone", func() bool { return snd.charge() == 0 })
	if seen, withheld := q.on.counts(); seen != 500 || withheld != 0 {
		t.Errorf("%d packets seen, %d withheld", seen, withheld)
	}
	if err := q.close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(q.close(), q.giveVerdicts()); err != nil || q.listening() {
		t.Errorf("after its end: %v, listening %v", err, q.listening())
	}
}

func TestNfqueueKeepsOneOfMany(t *testing.T) {
	const sent, kept = 100_000, 54_321
	s := emptySpace(t)
	addVeth(t, s)
	q := mustFilters(t, s, toQueue(0, verdictAccept, kept)).queues()[0]
	snd := newSender(t, s, "v0")
	snd.send(1, true)
	within(t, "one packet through", func() bool { return snd.charge() == 0 })
	if answers := snd.send(sent-1, true); answers[nil] != sent-1 {
		t.Errorf("answers %v", answers)
	}
	within(t, "all packets seen", func() bool { seen, _ := q.on.counts(); return seen >= sent })
	within(t, "one packet withheld", func() bool { return snd.charge() > 0 && snd.charge() < 2000 })
	if seen, withheld := q.on.counts(); seen != sent || withheld != 1 {
		t.Errorf("%d packets seen, %d withheld, want %d and 1", seen, withheld, sent)
	}
	if err := q.giveVerdicts(); err != nil {
		t.Fatal(err)
	}
	within(t, "charge gone", func() bool { return snd.charge() == 0 })
}

// What must not hold, and what a sender hears of it.
func TestFiltersThatHoldNothing(t *testing.T) {
	elsewhere := toQueue(3, verdictNone)
	elsewhere.Link = "v9"
	input := toQueue(4, verdictNone)
	input.Hook = "input"
	for _, c := range []struct {
		name   string
		filter scenarios.Filter
		answer error
	}{
		{"accepted", toQueue(0, verdictAccept), nil},
		{"dropped by the listener", toQueue(1, verdictDrop), nil},
		{"no listener", toQueue(2, ""), nil},
		{"another link", elsewhere, nil},
		{"another hook", input, nil},
		{"drop", scenarios.Filter{Hook: "output", Action: actionDrop}, unix.EPERM},
		{"drop at postrouting", scenarios.Filter{Hook: "postrouting", Link: "v0", Action: actionDrop}, unix.EPERM},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := emptySpace(t)
			addVeth(t, s)
			f := mustFilters(t, s, c.filter)
			if q := f.queues(); len(q) > 0 && q[0].listening() != (c.filter.Listener != nil) {
				t.Errorf("listening is %v", q[0].listening())
			}
			snd := newSender(t, s, "v0")
			if answers := snd.send(1000, true); answers[c.answer] != 1000 {
				t.Errorf("answers %v, want %v for each", answers, c.answer)
			}
			within(t, "charge gone", func() bool { return snd.charge() == 0 })
			if err := f.flush(); err != nil {
				t.Fatal(err)
			}
			if answers := snd.send(10, true); answers[nil] != 10 {
				t.Errorf("answers %v after the flush", answers)
			}
		})
	}
}

func TestFiltersShareAListener(t *testing.T) {
	s := emptySpace(t)
	addVeth(t, s)
	other := toQueue(5, verdictNone)
	other.Link, other.Hook = "", "postrouting"
	queues := mustFilters(t, s, toQueue(5, ""), toQueue(5, verdictAccept), other, toQueue(1, verdictAccept)).queues()
	if len(queues) != 2 || queues[0].Number != 1 || queues[1].Number != 5 || !queues[1].listening() {
		t.Fatalf("queues %v", queues)
	}
	snd := newSender(t, s, "v0")
	snd.send(10, true)
	within(t, "charge gone", func() bool { return snd.charge() == 0 })
}

// Each way to tell the kernel of a queue does the same, or says that it is not
// to be had.
func TestRuleWays(t *testing.T) {
	needRoot(t)
	worked := 0
	for _, way := range ruleWays() {
		t.Run(way.name, func(t *testing.T) {
			s := emptySpace(t)
			addVeth(t, s)
			fs := []scenarios.Filter{toQueue(9, verdictNone)}
			queues, err := openQueues(s, fs)
			if err != nil {
				t.Fatal(err)
			}
			f := &filters{listed: queues}
			defer func() {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}()
			f.rules, _, err = addRules(s, fs, []ruleWay{way})
			var missing *record.UnsupportedError
			if errors.As(err, &missing) {
				if !strings.Contains(missing.Hint, way.needs) {
					t.Errorf("hint %q lacks %q", missing.Hint, way.needs)
				}
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			worked++
			snd := newSender(t, s, "v0")
			snd.send(10, true)
			if snd.charge() == 0 {
				t.Error("nothing is held")
			}
			if err := f.flush(); err != nil {
				t.Fatal(err)
			}
			if err := queues[0].close(); err != nil {
				t.Fatal(err)
			}
			within(t, "charge gone", func() bool { return snd.charge() == 0 })
			snd.send(10, true)
			if got := snd.charge(); got != 0 {
				t.Errorf("%d bytes held after the flush", got)
			}
		})
	}
	if worked == 0 {
		t.Error("no way works on this kernel")
	}
}

func TestFilterRefusals(t *testing.T) {
	s := emptySpace(t)
	over, stop := context.WithCancel(t.Context())
	stop()
	drop := scenarios.Filter{Hook: "output", Action: actionDrop}
	change := func(f scenarios.Filter, change func(*scenarios.Filter)) scenarios.Filter { change(&f); return f }
	for _, c := range []struct {
		name, want string
		ctx        context.Context
		filter     scenarios.Filter
	}{
		{"hook", "prerouting, input", t.Context(), change(drop, func(f *scenarios.Filter) { f.Hook = "egress" })},
		{"action", "neither drop nor nfqueue", t.Context(), change(drop, func(f *scenarios.Filter) { f.Action = "reject" })},
		{"link", "more than 15", t.Context(), change(drop, func(f *scenarios.Filter) { f.Link = "a234567890123456" })},
		{"queue", "0 to 65535", t.Context(), toQueue(65536, verdictAccept)},
		{"verdict", "accept, drop, none", t.Context(), toQueue(0, "maybe")},
		{"maxlen", "below 0", t.Context(), change(toQueue(0, ""), func(f *scenarios.Filter) {
			f.Listener = &scenarios.Listener{Verdict: verdictNone, MaxLen: -1}
		})},
		{"no time", "context canceled", over, drop},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := openedBy(t, func() {
				f, err := addFilters(c.ctx, s, []scenarios.Filter{toQueue(8, verdictNone), c.filter})
				if err == nil {
					_ = f.Close()
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q, want one line with %q", err, c.want)
				}
			})
			if left != 0 {
				t.Errorf("%d descriptors left", left)
			}
		})
	}
}

// A queue that another listener has is our trouble, not a missing feature.
func TestNfqueueTaken(t *testing.T) {
	s := emptySpace(t)
	mustFilters(t, s, toQueue(2, verdictAccept))
	f, err := addFilters(t.Context(), s, []scenarios.Filter{toQueue(2, verdictAccept)})
	if err == nil {
		_ = f.Close()
		t.Fatal("no error")
	}
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		t.Errorf("taken as a missing feature: %v", err)
	}
}
