package netns

import (
	"testing"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

func hold(number int) scenarios.Filter {
	return scenarios.Filter{Hook: "output", Link: "v0", Action: actionNfqueue, Queue: number, Listener: &scenarios.Listener{Verdict: verdictNone}}
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
			f := mustFilters(t, s, hold(7))
			snd := newSender(t, s, "v0")
			answers := snd.send(3000, false)
			t.Logf("answers %v, charge %d", answers, snd.charge())
			if answers[nil]+answers[unix.EAGAIN] != 3000 {
				t.Errorf("answers %v, want success or EAGAIN", answers)
			}
			if got := snd.charge(); got < 100_000 {
				t.Errorf("%d bytes charged, want a full socket", got)
			}
			if !f.queues()[0].listening() || f.queues()[0].Number != 7 {
				t.Errorf("queue %+v", f.queues()[0])
			}
			if err := c.release(f); err != nil {
				t.Fatal(err)
			}
			within(t, "charge gone", func() bool { return snd.charge() == 0 })
		})
	}
}
