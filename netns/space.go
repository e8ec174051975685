// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// netlinkTimeout bounds one answer of the kernel's; deleting a link on a busy
// host takes up to seconds (synchronize_net).
const netlinkTimeout = 20 * time.Second

// space is one network namespace with a netlink handle in it.
type space struct {
	// name is what the scenario calls it; "" is the sandbox's own.
	name string
	// own: all threads of this process are in it.
	own    bool
	handle netns.NsHandle
	nl     *netlink.Handle
}

// ownSpace is the namespace of the calling process.
func ownSpace() (*space, error) {
	h, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's own network namespace: %w", err)
	}
	s, err := newSpaceAt("", h)
	if err == nil {
		s.own = true
	}
	return s, err
}

// newSpace makes a namespace beside the sandbox's own.
func newSpace(name string) (*space, error) {
	var made netns.NsHandle
	err := onThread(func() error {
		h, err := netns.New()
		made = h
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make network namespace %q: %w", name, err)
	}
	return newSpaceAt(name, made)
}

// EnterNew moves the whole process, every thread of it, into a new network
// namespace. It does not work in a program built with cgo: syscall.ENOTSUP.
func EnterNew() error {
	var made netns.NsHandle
	err := onThread(func() (err error) {
		made, err = netns.New()
		return err
	})
	if err != nil {
		return fmt.Errorf("make a new network namespace: %w", err)
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_SETNS, uintptr(made), unix.CLONE_NEWNET, 0)
	if err := made.Close(); err != nil {
		return err
	}
	if errno != 0 {
		return fmt.Errorf("enter a new network namespace with all threads: %w", errno)
	}
	return nil
}

func newSpaceAt(name string, h netns.NsHandle) (*space, error) {
	// NB: rtnetlink alone; by default a kernel without XFRM or netfilter would fail here.
	nl, err := netlink.NewHandleAt(h, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open netlink in namespace %q: %w", name, err), h.Close())
	}
	s := &space{name: name, handle: h, nl: nl}
	if err := nl.SetSocketTimeout(netlinkTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("bound netlink in namespace %q: %w", name, err), s.close())
	}
	return s, nil
}

// do runs f on a thread of its own inside the namespace. Goroutines that f
// starts run outside it.
func (s *space) do(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(s.handle); err != nil {
			return fmt.Errorf("enter network namespace %q: %w", s.name, err)
		}
		return f()
	})
}

// quick is do for an f that leaves its thread as it was: in the sandbox's own
// namespace it needs no other thread, which would cost more than most f.
func (s *space) quick(f func() error) error {
	if s.own {
		return f()
	}
	return s.do(f)
}

// close lets go of the namespace; the kernel removes it with its links when
// nothing else holds it.
func (s *space) close() error {
	s.nl.Close()
	return s.handle.Close()
}

// onThread runs f on a fresh thread that is thrown away afterwards.
//
// NB: never unlocked, so the runtime ends the thread and no other goroutine
// lands in a foreign namespace; the extra goroutine keeps it from being the
// main thread, which Go parks instead of ending (golang/go#53210). The caller
// of the sandbox child locks the main goroutine to the main thread.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}
