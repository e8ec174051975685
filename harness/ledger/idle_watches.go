// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A processor's idle task can be blind: nothing that happens on top of it, the
// softirqs that free skbs among them, gives an event. perf drops an event where
// the running task's counter against recursion is taken (get_recursion_context,
// kernel/events/internal.h; the counter is the task's since 6.11, commit
// 0d40a6d83e3e), without a word in the ring. Seen on a 6.18 guest of
// Firecracker, where one of two processors was blind from boot to end.

// idleWatches counts how often each processor goes to sleep and wakes up: both are
// sched:sched_switch, the first on the task that goes, the second on the idle task.
type idleWatches struct {
	each []idleWatch
}

type idleWatch struct {
	cpu int
	// to and from count the switches to and from the idle task.
	to, from int
}

// idleCount is what one processor showed.
type idleCount struct {
	cpu      int
	to, from uint64
}

// surelyAsleep is how many times a processor must have gone to sleep, and never
// have been seen to wake, to be called blind: it may be asleep now.
const surelyAsleep = 3

func (g idleCount) blind() bool { return g.to >= surelyAsleep && g.from == 0 }

// openIdleWatches begins to count on some processors. Where this kernel has no
// sched_switch there are none.
func openIdleWatches(cpus []int, formats map[Kind]Format) (*idleWatches, error) {
	s := &idleWatches{}
	f, ok := formats[Switch]
	if !ok {
		return s, nil
	}
	for _, cpu := range cpus {
		var err error
		one := idleWatch{cpu: cpu, to: -1, from: -1}
		if one.to, err = countSwitches(cpu, f.ID, "next_pid == 0"); err == nil {
			one.from, err = countSwitches(cpu, f.ID, "prev_pid == 0")
		}
		if one.to < 0 && errors.Is(err, unix.ENODEV) {
			continue // the processor went off line
		}
		s.each = append(s.each, one)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func countSwitches(cpu int, id uint16, filter string) (int, error) {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: uint64(id), Bits: unix.PerfBitDisabled}
	fd, err := openEvent(&attr, cpu, "sched_switch")
	if err != nil {
		return -1, err
	}
	if err := setFilter(fd, filter); err != nil {
		return -1, errors.Join(fmt.Errorf("filter sched_switch: %w", err), unix.Close(fd))
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return -1, errors.Join(fmt.Errorf("enable a perf event: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// look reads the counts.
func (s *idleWatches) look() ([]idleCount, error) {
	var out []idleCount
	for _, e := range s.each {
		g, err := e.look()
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

func (e idleWatch) look() (g idleCount, err error) {
	g.cpu = e.cpu
	if g.from, err = readCount(e.from); err == nil {
		g.to, err = readCount(e.to)
	}
	return g, err
}

func readCount(fd int) (uint64, error) {
	var b [8]byte
	if _, err := unix.Read(fd, b[:]); err != nil {
		return 0, fmt.Errorf("read a perf counter: %w", err)
	}
	return binary.NativeEndian.Uint64(b[:]), nil
}

// hidden says on which processors something happened that gave no events, where
// a single sleep of an unproven one is enough. "" says on none.
func (s *idleWatches) hidden(unproven []int) (string, error) {
	seen, err := s.look()
	if err != nil {
		return "", err
	}
	return hiddenBy(seen, unproven), nil
}

func hiddenBy(seen []idleCount, unproven []int) string {
	var parts []string
	for _, g := range seen {
		if g.blind() || g.to > 0 && g.from == 0 && slices.Contains(unproven, g.cpu) {
			parts = append(parts, fmt.Sprintf("processor %d slept %d times, and perf shows nothing of what happens there then", g.cpu, g.to))
		}
	}
	return strings.Join(parts, "; ")
}

// Close ends the counting.
func (s *idleWatches) Close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, e := range s.each {
		for _, fd := range []int{e.to, e.from} {
			if fd >= 0 {
				errs = append(errs, unix.Close(fd))
			}
		}
	}
	s.each = nil
	return errors.Join(errs...)
}

// A processor has naps chances to sleep, some 50 ms where it is busy.
const (
	nap  = time.Millisecond
	naps = 30
)

// test finds the processors whose idle task is not known to see, and those of
// them that are surely blind.
func (s *idleWatches) test() (unproven, blind []int, err error) {
	var all sync.WaitGroup
	for _, e := range s.each {
		all.Go(func() { e.nap() })
	}
	all.Wait()
	seen, err := s.look()
	for _, g := range seen {
		if g.from == 0 {
			unproven = append(unproven, g.cpu)
		}
		if g.blind() {
			blind = append(blind, g.cpu)
		}
	}
	return unproven, blind, err
}

// nap lets a processor go to sleep until it is known to see or not to. The
// thread ends with it.
func (e idleWatch) nap() {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(e.cpu)
	if unix.SchedSetaffinity(0, &set) != nil {
		return
	}
	for range naps {
		// NB: time.Sleep would park the goroutine, and any thread would wake it.
		ts := unix.NsecToTimespec(nap.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil)
		if g, err := e.look(); err != nil || g.from > 0 || g.blind() {
			return
		}
	}
}
