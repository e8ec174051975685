// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/ledger/probes"
)

const (
	// margin is how long an event may take from its clock to its ring.
	margin = 2 * time.Millisecond
	// lookEvery bounds the time between two readings of the rings.
	lookEvery = 40 * time.Millisecond
	// gather is how long the reader sleeps after a reading, so that it reads
	// many at once.
	gather = 2 * time.Millisecond
)

// Config says what to follow.
type Config struct {
	Rules Rules
	// Devices are the names of all devices the packets can come by.
	Devices []string
	// Began is what the times of the record count from.
	Began time.Time
	// Probes are the BPF programs to read from too; nil where there are none.
	Probes *probes.IDs
	// Unproven is Held.Unproven.
	Unproven []int
}

// Ledger follows skbs from Open to Close. Its methods may be called from any
// goroutine.
type Ledger struct {
	formats map[Kind]Format
	reasons map[int64]string
	// epoch is CLOCK_MONOTONIC at Config.Began.
	epoch int64

	mu          sync.Mutex
	perf        *perf
	probe       *probe
	idleWatches *idleWatches
	// unproven is Held.Unproven.
	unproven []int
	book     *Book
	frees    []rungFree
	err      error

	stop int
	done chan struct{}
}

// Open begins to follow. Where this kernel or user cannot, the error is an
// *record.UnsupportedError.
func Open(cfg Config) (*Ledger, error) {
	formats, err := readFormats()
	if err != nil {
		return nil, err
	}
	if cfg.Probes != nil {
		// The program on the same function knows which skb it is.
		delete(formats, Neighbour)
	}
	now, err := monotonic()
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		formats: formats, reasons: formats[Drop].Symbols(), book: NewBook(cfg.Rules),
		epoch: now - time.Since(cfg.Began).Nanoseconds(), done: make(chan struct{}), unproven: cfg.Unproven,
	}
	if l.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	if err := l.open(cfg); err != nil {
		return nil, errors.Join(err, l.release())
	}
	go l.follow()
	return l, nil
}

func (l *Ledger) open(cfg Config) error {
	cpus, err := onlineCPUs()
	if err != nil {
		return err
	}
	if l.perf, err = openPerf(cpus, l.formats, cfg.Devices); err != nil {
		return err
	}
	if l.idleWatches, err = openIdleWatches(cpus, l.formats); err != nil {
		return err
	}
	if l.probe, err = openProbe(cfg.Probes); err != nil {
		return err
	}
	return l.perf.enable()
}

func (l *Ledger) release() error {
	return errors.Join(l.perf.Close(), l.idleWatches.Close(), l.probe.Close(), unix.Close(l.stop))
}

func monotonic() (int64, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0, fmt.Errorf("read CLOCK_MONOTONIC: %w", err)
	}
	return ts.Nano(), nil
}

// follow empties the rings until Close.
func (l *Ledger) follow() {
	defer close(l.done)
	var fds []unix.PollFd
	for _, fd := range l.perf.poll {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	fds = append(fds, unix.PollFd{Fd: int32(l.stop), Events: unix.POLLIN})
	for {
		_, err := unix.Poll(fds, int(lookEvery.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			l.fail(fmt.Errorf("wait for perf events: %w", err))
			return
		}
		if fds[len(fds)-1].Revents != 0 {
			return
		}
		l.mu.Lock()
		l.read(margin)
		l.mu.Unlock()
		time.Sleep(gather)
	}
}

func (l *Ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(l.err, err)
}

// read counts what is older than margin. The caller holds the lock.
func (l *Ledger) read(margin time.Duration) {
	now, err := monotonic()
	if err != nil {
		l.err = errors.Join(l.err, err)
		return
	}
	before := l.perf.lost
	if err := errors.Join(l.perf.drain(), l.probe.drain()); err != nil {
		l.err = errors.Join(l.err, err)
	}
	if l.perf.lost > before {
		l.book.Lose()
	}
	merge(append(l.perf.streams(), l.probe.streams()...), now-margin.Nanoseconds(), l.book.Add)
}

// sync counts all that happened before the call, and gives the book. The caller
// unlocks.
func (l *Ledger) sync() *Book {
	time.Sleep(margin)
	l.mu.Lock()
	l.read(margin)
	return l.book
}

// Own lets the BPF programs follow what a socket sends, named by its SO_COOKIE.
// It is called before the socket sends.
func (l *Ledger) Own(cookie uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.probe.own(cookie)
}

// Sent is how many packets of the sender came to each device, by the first that
// each came to.
func (l *Ledger) Sent() map[string]int {
	book := l.sync()
	defer l.mu.Unlock()
	return maps.Clone(book.sent)
}

// Begin is called before the ladder: call chains of frees are kept from here
// on, and a packet that is held now is the one whose life is shown.
func (l *Ledger) Begin() error {
	book := l.sync()
	defer l.mu.Unlock()
	book.KeepHeld()
	return l.perf.chain()
}

// Close ends it; everything is gone with the descriptors.
func (l *Ledger) Close() error {
	var one [8]byte
	one[0] = 1
	_, err := unix.Write(l.stop, one[:])
	if err != nil {
		return fmt.Errorf("stop the ledger: %w", err)
	}
	<-l.done
	return l.release()
}
