// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"skleak/record"
)

// What the waiter's epoll items are known by.
const (
	itemSocket = iota
	itemError
	itemBell
)

// Waiter is a thread parked until a socket becomes writable, as a routing
// daemon waits. It tells a wake-up the kernel gave from a fresh look.
//
// NB: poll(2) looks at every socket again whenever anything wakes it, and so
// hides a lost wake-up; and it never sleeps while an error waits on the error
// queue. An edge-triggered epoll item hangs on the same wait queue of the
// socket, but is looked at only when the socket itself woke it
// (fs/eventpoll.c, ep_poll_callback and ep_send_events).
//
// An item is woken by errors too, whatever it asks for (ep_insert), and a fresh
// look at a writable socket then says so: an ICMP error would pass for the
// wake-up that never came. So a second item asks for errors alone. Both are told
// apart by who else is ready.
type Waiter struct {
	// dup is a second descriptor of the socket, for the second item.
	fd, dup, epoll, bell int
	done                 chan struct{}

	mu     sync.Mutex
	parked bool
	// overdue: the socket was seen writable with every earlier wake-up dealt with.
	overdue bool
	since   time.Time
	story   record.Waiter
	// acks are closed by the thread once it has dealt with all earlier events.
	acks     []chan struct{}
	stopping bool
	err      error
}

// NewWaiter starts a waiter for socket fd, which must stay open until Close.
func NewWaiter(fd int) (*Waiter, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a waiter for socket %d: epoll: %w", fd, err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a waiter for socket %d: eventfd: %w", fd, err), unix.Close(epoll))
	}
	w := &Waiter{fd: fd, dup: -1, epoll: epoll, bell: bell, done: make(chan struct{})}
	ring := unix.EpollEvent{Events: unix.EPOLLIN, Fd: itemBell}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, bell, &ring); err != nil {
		return nil, errors.Join(fmt.Errorf("make a waiter for socket %d: %w", fd, err), unix.Close(bell), unix.Close(epoll))
	}
	go w.run()
	return w, nil
}

// hang puts the items on the socket's wait queue, that for errors first: an
// error that is there already is then told of before a wake-up can come.
func (w *Waiter) hang() (err error) {
	if w.dup, err = unix.FcntlInt(uintptr(w.fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLET, Fd: itemError}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, w.dup, &ev); err != nil {
		return errors.Join(err, unix.Close(w.dup))
	}
	ev = unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: itemSocket}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, w.fd, &ev); err != nil {
		return errors.Join(err, w.unhangErrors())
	}
	w.parked, w.overdue, w.since = true, false, time.Now()
	return nil
}

// unhang takes the items off again.
func (w *Waiter) unhang() error {
	w.parked = false
	return errors.Join(unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, w.fd, nil), w.unhangErrors())
}

// unhangErrors takes off the item for errors. NB: an item outlives its descriptor
// as long as another of the same socket is open.
func (w *Waiter) unhangErrors() error {
	return errors.Join(unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, w.dup, nil), unix.Close(w.dup))
}

// Park puts the waiter to sleep if a fresh poll says that the socket is not
// writable; else, and when it sleeps already, it does nothing.
func (w *Waiter) Park() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.parked || w.err != nil {
		return w.err
	}
	writable, err := Writable(w.fd)
	if err != nil || writable {
		return err
	}
	if err := w.hang(); err != nil {
		return fmt.Errorf("park a waiter on socket %d: %w", w.fd, err)
	}
	w.story.Parked++
	return nil
}

// Asleep reports whether the waiter sleeps, and since when.
func (w *Waiter) Asleep() (since time.Time, asleep bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since, w.parked
}

// Story tells how often it was parked and woken, and the longest sleep that
// CheckAsleep found it in.
func (w *Waiter) Story() record.Waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.story
}

// Close wakes the thread, waits for its end and frees what it had. The error is
// the first the thread met.
func (w *Waiter) Close() error {
	w.mu.Lock()
	w.stopping = true
	w.mu.Unlock()
	if err := w.ring(); err != nil {
		return err
	}
	<-w.done
	err := w.err
	if w.parked {
		err = errors.Join(err, w.unhangErrors())
	}
	return errors.Join(err, unix.Close(w.bell), unix.Close(w.epoll))
}

func (w *Waiter) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(w.done)
	events := make([]unix.EpollEvent, 3)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if end := w.handle(events[:max(n, 0)], err); end {
			return
		}
	}
}

// handle deals with what woke the thread, the socket before the bell: so who
// rings and is answered knows that no earlier wake-up is pending.
func (w *Waiter) handle(events []unix.EpollEvent, err error) (end bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rung, writable, failed := false, false, false
	for _, ev := range events {
		switch ev.Fd {
		case itemBell:
			rung = true
		case itemError:
			failed = true
		default:
			writable = ev.Events&unix.EPOLLOUT != 0
		}
	}
	if writable && w.parked {
		err = errors.Join(err, w.woken(failed))
	}
	if rung {
		var count [8]byte
		if _, e := unix.Read(w.bell, count[:]); e != nil && !errors.Is(e, unix.EAGAIN) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		w.err = fmt.Errorf("wait for socket %d: %w", w.fd, err)
	}
	if rung || err != nil {
		for _, ack := range w.acks {
			close(ack)
		}
		w.acks = nil
	}
	return w.stopping || err != nil
}

// woken deals with a wake-up that found the socket writable. With an error at the
// same time that may be all it was for: then the waiter sleeps on if the wake-up
// was overdue before, and else nothing is known of this sleep.
func (w *Waiter) woken(failed bool) error {
	switch {
	case failed && w.overdue:
		return nil
	case failed:
		w.story.Unclear++
	default:
		w.story.Woken++
	}
	return w.unhang()
}

// ring wakes the thread without touching the socket.
func (w *Waiter) ring() error {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	if _, err := unix.Write(w.bell, one[:]); err != nil {
		return fmt.Errorf("wake the waiter of socket %d: %w", w.fd, err)
	}
	return nil
}
