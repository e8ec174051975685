// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"time"

	"skleak/record"
)

const (
	// courseStep is the least time between two steps of a course's window.
	courseStep = 5 * time.Millisecond
	// courseGap is the longest gap between two readings that counts in full. Readings
	// are at most 20 ms apart, where the sender makes them itself, and a tick of the
	// timer is 4 ms or less in the guests. After a longer gap the machine stood still,
	// and whoever had to free a packet with it: such a gap counts as courseLate.
	courseGap  = 25 * time.Millisecond
	courseLate = 5 * time.Millisecond
	// courseAges bounds how many moments of sending an age is looked up in.
	courseAges = 4096
	// courseSilences bounds how many silences are kept one by one.
	courseSilences = 8
)

// Course follows one socket's charge from reading to reading and finds what is
// in no single one: how much had been charged for longer than a window, and
// when the socket was not writable.
//
// What was charged for a window W at time t is at most the least charge in W up
// to t, and at most what is charged at t less all that was sent in W. The lesser
// of both is taken, so it is never too much, whoever holds and in whatever order.
// It does no I/O.
type Course struct {
	window   time.Duration
	truesize int64
	limit    int64

	begun bool
	// last is when the last reading was, and looked the time that counts: less than
	// has passed where the readings have gaps.
	last, looked time.Duration
	steps        []courseStepAt
	ages         ages
	silence      *record.Silence
	out          record.Course
}

// courseStepAt is a part of the window.
type courseStepAt struct {
	looked time.Duration
	// least is the least charge of it, sent the packets sent at its beginning.
	least int64
	sent  int
}

// NewCourse follows a socket of which poll says writable below half of sndbuf
// bytes (sock_writeable, include/net/sock.h). Truesize is the charge of one
// packet in bytes; 0, where it is not known, finds nothing held while packets
// are being sent.
func NewCourse(window time.Duration, truesize, sndbuf int64) *Course {
	return &Course{window: window, truesize: truesize, limit: sndbuf / 2}
}

// Add takes a reading: the charge in bytes, and how many packets had been sent
// by then. Times must not go backwards.
func (c *Course) Add(at time.Duration, charge int64, sent int) {
	if c.begun {
		c.looked += counted(at - c.last)
	}
	c.begun, c.last = true, at
	c.step(charge, sent)
	c.ages.add(at, sent)
	held := c.held(charge, sent)
	if held > c.out.HeldBytes {
		c.out.HeldBytes, c.out.HeldAtNs = held, at.Nanoseconds()
	}
	if age := c.age(at, charge, sent); age > c.out.OldestNs {
		c.out.OldestNs = age
	}
	c.watch(at, charge, held, sent)
}

// counted is how much of a gap between two readings counts.
func counted(gap time.Duration) time.Duration {
	if gap > courseGap {
		return courseLate
	}
	return gap
}

// Result is what was found so far.
func (c *Course) Result() record.Course {
	out := c.out
	out.Silences = append([]record.Silence(nil), c.out.Silences...)
	return out
}

// step enters the reading into the window.
func (c *Course) step(charge int64, sent int) {
	n := len(c.steps)
	if n > 0 && c.looked-c.steps[n-1].looked < courseStep {
		c.steps[n-1].least = min(c.steps[n-1].least, charge)
		return
	}
	c.steps = append(c.steps, courseStepAt{c.looked, charge, sent})
	// One step older than the window stays: the window begins in it.
	for len(c.steps) > 1 && c.looked-c.steps[1].looked >= c.window {
		c.steps = c.steps[1:]
	}
}

// held is how much of the charge is older than the window.
func (c *Course) held(charge int64, sent int) int64 {
	first := c.steps[0]
	if charge == 0 || c.looked-first.looked < c.window {
		return 0
	}
	least := charge
	for _, s := range c.steps {
		least = min(least, s.least)
	}
	if sent == first.sent {
		return least
	}
	if c.truesize <= 0 {
		return 0
	}
	return max(min(least, charge-c.truesize*int64(sent-first.sent)), 0)
}

// age is for how long the oldest packet has been charged, at the least: so many
// are charged, so one of them was sent before all but so many.
func (c *Course) age(at time.Duration, charge int64, sent int) int64 {
	if c.truesize <= 0 || charge < c.truesize {
		return 0
	}
	since, ok := c.ages.sentAt(sent - int(charge/c.truesize) + 1)
	if !ok {
		return 0
	}
	return (at - since).Nanoseconds()
}

// watch keeps when the socket was not writable.
func (c *Course) watch(at time.Duration, charge, held int64, sent int) {
	// The counter is one more than the charge.
	if charge+1 < c.limit {
		c.silence = nil
		return
	}
	if c.silence == nil {
		c.out.SilentTimes++
		if len(c.out.Silences) < courseSilences {
			c.out.Silences = append(c.out.Silences, record.Silence{})
			c.silence = &c.out.Silences[len(c.out.Silences)-1]
		} else {
			c.silence = &record.Silence{}
		}
		c.silence.AtNs, c.silence.Packets = at.Nanoseconds(), sent
	}
	s := c.silence
	s.ForNs = at.Nanoseconds() - s.AtNs
	c.out.SilentNs = max(c.out.SilentNs, s.ForNs)
	// The moment at which most of the charge was old counts.
	if s.Bytes == 0 || float64(held)*float64(s.Bytes) > float64(s.HeldBytes)*float64(charge) {
		s.Bytes, s.HeldBytes = charge, held
	}
	if w := &c.out.Worst; w.Bytes == 0 || float64(s.HeldBytes)*float64(w.Bytes) > float64(w.HeldBytes)*float64(s.Bytes) {
		*w = *s
	} else if w.AtNs == s.AtNs {
		w.ForNs = s.ForNs
	}
}

// ages knows when which packet was sent, coarser as it gets long.
type ages struct {
	at   []time.Duration
	sent []int
	// every is the least time between two entries.
	every time.Duration
}

func (a *ages) add(at time.Duration, sent int) {
	n := len(a.at)
	if n > 0 && (sent == a.sent[n-1] || at-a.at[n-1] < a.every) {
		return
	}
	a.at, a.sent = append(a.at, at), append(a.sent, sent)
	if len(a.at) < courseAges {
		return
	}
	kept := 0
	for i := 0; i < len(a.at); i += 2 {
		a.at[kept], a.sent[kept] = a.at[i], a.sent[i]
		kept++
	}
	a.at, a.sent = a.at[:kept], a.sent[:kept]
	a.every = max(2*a.every, time.Millisecond)
}

// sentAt is a time by which packet n, counted from 1, had surely been sent; the
// first entry that has it.
func (a *ages) sentAt(n int) (time.Duration, bool) {
	lo, hi := 0, len(a.sent)
	for lo < hi {
		if mid := (lo + hi) / 2; a.sent[mid] >= n {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == len(a.sent) {
		return 0, false
	}
	return a.at[lo], true
}
