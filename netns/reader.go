// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

const (
	// maxPacket is the longest a TUN, TAP or packet socket hands out: 64 KiB of
	// packet, an Ethernet header with a VLAN tag and a virtio header.
	maxPacket = 64<<10 + 64
	// readerSlack is how far a slow reader may lag and still catch up, so that
	// the coarse timer does not make it slower than asked.
	readerSlack = 20 * time.Millisecond
)

// pump is a program that reads packets from one or more open files, all queues
// of one interface, and throws them away. What the mode allows is shared by
// the files: a reader that stops after 10 stops after 10 in all.
type pump struct {
	files []*os.File
	drive sync.WaitGroup

	mu      sync.Mutex
	mode    scenarios.ReaderMode
	gap     time.Duration
	next    time.Time
	left    int
	read    int
	err     error
	running bool
	closed  bool
	// wake is closed when the mode changes, done when the pump closes.
	wake, done chan struct{}
}

// newPump takes the files over: it closes them, on an error too. They must be
// non-blocking.
func newPump(r scenarios.Reader, files ...*os.File) (*pump, error) {
	p := &pump{files: files, mode: r.Mode, left: r.After, wake: make(chan struct{}), done: make(chan struct{})}
	switch r.Mode {
	case "", scenarios.ReaderNone:
		p.mode = scenarios.ReaderNone
		return p, nil
	case scenarios.ReaderSlow:
		if !(r.PPS > 0) {
			return nil, errors.Join(fmt.Errorf("slow reader: pps is %v, it must be above 0", r.PPS), p.Close())
		}
		p.gap = time.Duration(float64(time.Second) / r.PPS)
	case scenarios.ReaderDrain, scenarios.ReaderStop:
	default:
		return nil, errors.Join(fmt.Errorf("reader mode %q is not one of none, drain, slow, stop", r.Mode), p.Close())
	}
	if err := p.start(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// start starts a goroutine for each file. It is called once.
func (p *pump) start() error {
	raws := make([]syscall.RawConn, len(p.files))
	for i, f := range p.files {
		raw, err := f.SyscallConn()
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name(), err)
		}
		raws[i] = raw
	}
	p.running = true
	for _, raw := range raws {
		p.drive.Go(func() {
			buf := make([]byte, maxPacket)
			for p.allowed() && p.readOne(raw.Read, buf) {
			}
		})
	}
	return nil
}

// allowed waits until the mode lets a packet be read; false ends the reader.
func (p *pump) allowed() bool {
	for {
		p.mu.Lock()
		wait, stopped, wake := time.Duration(0), false, p.wake
		if p.mode == scenarios.ReaderSlow {
			wait = time.Until(p.next)
		}
		if p.mode == scenarios.ReaderStop {
			stopped = p.left <= 0
		}
		over := p.closed || p.err != nil
		p.mu.Unlock()
		switch {
		case over:
			return false
		case stopped:
			select {
			case <-wake:
			case <-p.done:
			}
		case wait > 0:
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-wake:
			case <-p.done:
			}
			t.Stop()
		default:
			return true
		}
	}
}

// readOne waits for a packet and reads it; false when there will be no more.
func (p *pump) readOne(await func(func(uintptr) bool) error, buf []byte) bool {
	more := true
	err := await(func(fd uintptr) bool {
		var ready bool
		ready, more = p.take(int(fd), buf)
		return ready
	})
	// An error of the wait itself means that the file was closed.
	return more && err == nil
}

// take reads a packet if one is there and the mode still allows it. It holds
// the lock meanwhile, so that two queues cannot spend the same allowance.
func (p *pump) take(fd int, buf []byte) (ready, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == scenarios.ReaderStop && p.left <= 0 || p.mode == scenarios.ReaderSlow && time.Until(p.next) > 0 {
		return true, true
	}
	_, err := unix.Read(fd, buf)
	switch {
	case err == nil:
		p.spend()
		return true, true
	case errors.Is(err, unix.EAGAIN):
		return false, true
	// NB: a packet socket reports once that its link went down (packet_notifier
	// in net/packet/af_packet.c) and works on when it comes up again.
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENETDOWN):
		return true, true
	// What a TUN says whose link was deleted: EFAULT to a reader that waited,
	// EBADFD to one that comes later (drivers/net/tun.c).
	case errors.Is(err, unix.EFAULT), errors.Is(err, unix.EBADFD):
		return true, false
	default:
		p.err = fmt.Errorf("read packets: %w", err)
		return true, false
	}
}

// spend books one packet read; mu is held.
func (p *pump) spend() {
	p.read++
	p.left--
	if p.gap == 0 {
		return
	}
	if oldest := time.Now().Add(-readerSlack); p.next.Before(oldest) {
		p.next = oldest
	}
	p.next = p.next.Add(p.gap)
}

// drain makes the reader read all there is from now on, also where it has not
// read before.
func (p *pump) drain() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.mode == scenarios.ReaderDrain {
		return nil
	}
	p.mode, p.gap = scenarios.ReaderDrain, 0
	close(p.wake)
	if p.running {
		return nil
	}
	return p.start()
}

// packets is how many were read so far.
func (p *pump) packets() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read
}

// Close ends the reader and closes its files. Idempotent.
func (p *pump) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.done)
	p.mu.Unlock()
	err := closeAll(p.files)
	p.drive.Wait()
	return errors.Join(p.err, err)
}

// closeAll closes every one of files.
func closeAll[C io.Closer](files []C) error {
	var errs error
	for _, f := range files {
		errs = errors.Join(errs, f.Close())
	}
	return errs
}
