// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/meter/series"
	"skleak/record"
)

const (
	// sampleEvery is the interval while a charge moves.
	sampleEvery = 200 * time.Microsecond
	// sampleIdle is the longest interval, while nothing moves.
	sampleIdle = time.Millisecond
	// sampleStill is how many equal readings in a row lengthen the interval.
	sampleStill = 25
)

// Samples is what was seen of one socket.
type Samples struct {
	// Peak is the highest charge in bytes, saturated readings left out.
	Peak int64
	// Saturated is set when a reading was that of a saturated counter.
	Saturated bool
	// Readings counts what went into Series.
	Readings int
	// Series is the charge over time, thinned, saturated readings left out; After
	// is what Observe added.
	Series, After []record.Point
	// Course is what all of that shows together.
	Course record.Course
}

// Socket is a sending socket to be watched.
type Socket struct {
	FD int
	// Sent is how many packets it was handed by now; called from the sampler.
	Sent func() int
	// Course takes what is read.
	Course *Course
}

// Sampler reads the charge of several sockets again and again beside the
// sender: each 200 µs while they change, each millisecond while they do not.
type Sampler struct {
	sockets []Socket
	begin   time.Time

	mu      sync.Mutex
	tracks  []track
	err     error
	looked  time.Duration
	stopped chan struct{}
	done    chan struct{}
}

type track struct {
	socket        Socket
	samples       Samples
	series, after *series.Series
	last          uint32
}

// afterPoints bounds Samples.After.
const afterPoints = 256

// NewSampler makes a Sampler of sockets; its times count from begin.
func NewSampler(sockets []Socket, begin time.Time) *Sampler {
	s := &Sampler{sockets: sockets, begin: begin, tracks: make([]track, len(sockets))}
	for i := range s.tracks {
		s.tracks[i] = track{socket: sockets[i], series: series.New(series.DefaultPoints), after: series.New(afterPoints)}
	}
	return s
}

// Start begins sampling. It may be started again after Stop; what was seen
// before is kept.
func (s *Sampler) Start() {
	s.stopped, s.done = make(chan struct{}), make(chan struct{})
	go s.run(s.stopped, s.done)
}

// Stop ends sampling and waits, a few milliseconds at the most, until the
// sockets are no longer touched. The error is that of the first failed reading.
func (s *Sampler) Stop() error {
	close(s.stopped)
	<-s.done
	return s.err
}

// Saw adds a reading that the sender itself made of socket i.
func (s *Sampler) Saw(i int, charge uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tracks[i]
	t.add(t.series, time.Since(s.begin), charge)
}

// Observe adds a reading that somebody else made of every socket when the
// Sampler no longer does: while it is waited what time alone lets go of.
func (s *Sampler) Observe(at time.Duration, charges []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, charge := range charges {
		s.tracks[i].add(s.tracks[i].after, at, charge)
	}
}

// Look reads every socket once, unless it was done less than a fifth of a
// millisecond ago. It is for a sender on a machine with one processor: there
// a thread beside it would take its time and see no more.
func (s *Sampler) Look() error {
	if now := time.Since(s.begin); now-s.looked >= sampleEvery {
		s.looked = now
		_, err := s.readAll()
		return err
	}
	return nil
}

// Samples returns what was seen, in the order of the sockets.
func (s *Sampler) Samples() []Samples {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Samples, len(s.tracks))
	for i, t := range s.tracks {
		out[i] = t.samples
		out[i].Series, out[i].After, out[i].Course = t.series.Points(), t.after.Points(), t.socket.Course.Result()
	}
	return out
}

func (s *Sampler) run(stopped <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	every, still := sampleEvery, 0
	for {
		select {
		case <-stopped:
			return
		default:
		}
		moved, err := s.readAll()
		if err != nil {
			s.err = err
			return
		}
		if moved {
			every, still = sampleEvery, 0
		} else if still++; still%sampleStill == 0 {
			every = min(2*every, sampleIdle)
		}
		if err := nap(every); err != nil {
			s.err = err
			return
		}
	}
}

// readAll reads every socket once and reports whether any charge has changed.
func (s *Sampler) readAll() (moved bool, err error) {
	for i, socket := range s.sockets {
		charge, err := Charge(socket.FD)
		if err != nil {
			return false, fmt.Errorf("sample socket %d: %w", i, err)
		}
		s.mu.Lock()
		moved = s.tracks[i].add(s.tracks[i].series, time.Since(s.begin), charge) || moved
		s.mu.Unlock()
	}
	return moved, nil
}

func (t *track) add(to *series.Series, at time.Duration, charge uint32) (moved bool) {
	moved = t.samples.Readings == 0 || charge != t.last
	t.last = charge
	t.samples.Readings++
	if Saturated(charge) {
		t.samples.Saturated = true
		return moved
	}
	t.samples.Peak = max(t.samples.Peak, int64(charge))
	// NB: counted after the charge was read, so never too few.
	sent := t.socket.Sent()
	to.Add(record.Point{AtNs: at.Nanoseconds(), Bytes: int64(charge), Sent: sent})
	t.socket.Course.Add(at, int64(charge), sent)
	return moved
}

// nap sleeps for less than a millisecond, which time.Sleep cannot: it rounds
// up to the granularity of the poller.
func nap(d time.Duration) error {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("sleep %s: %w", d, err)
	}
	return nil
}
