// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// cleanRounds bounds how often a namespace is looked through: deleting one link
// may delete others, or need others gone first.
const cleanRounds = 4

// CleanNamespace empties a namespace that a killed run left behind: every qdisc
// and every link but lo goes, and with them the packets that pin its sockets,
// and so the namespace. h stays the caller's.
func CleanNamespace(h netns.NsHandle) error {
	// NB: a duplicate, since closing a space closes its handle.
	own, err := unix.FcntlInt(uintptr(h), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("clean network namespace: %w", err)
	}
	s, err := newSpaceAt("", netns.NsHandle(own))
	if err != nil {
		return err
	}
	return errors.Join(s.clean(), s.close())
}

// CleanNamespaceAt is CleanNamespace for the namespace a path leads to:
// /proc/PID/ns/net, /proc/PID/fd/N, or a bind mount.
func CleanNamespaceAt(path string) error {
	h, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", path, err)
	}
	return errors.Join(CleanNamespace(h), h.Close())
}

// clean deletes qdiscs and links. What cannot be deleted and came by itself
// with a module stays.
func (s *space) clean() error {
	var last []error
	for range cleanRounds {
		links, err := s.links()
		if err != nil {
			return err
		}
		last = nil
		left := 0
		for _, l := range links {
			last = append(last, s.dropQdisc(l.Attrs().Index))
			if stays(l) {
				continue
			}
			if isCard(l) {
				last = append(last, s.leaveCard(l))
				continue
			}
			left++
			if err := s.nl.LinkDel(l); err != nil && !gone(err) {
				last = append(last, fmt.Errorf("delete %s in %s: %w", l.Attrs().Name, s.title(), err))
			}
		}
		if left == 0 {
			break
		}
	}
	return errors.Join(last...)
}

// stays tells lo and the tunnels that come by themselves with their modules
// from what was made.
func stays(l netlink.Link) bool {
	return slices.Contains([]string{
		"lo", "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip_vti0",
		"ip6tnl0", "ip6gre0", "ip6gretap0", "ip6erspan0", "ip6_vti0",
	}, l.Attrs().Name)
}

func (s *space) links() ([]netlink.Link, error) {
	links, err := s.nl.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list links in %s: %w", s.title(), err)
	}
	return links, nil
}

// dropQdisc deletes the root qdisc that somebody put on the link.
func (s *space) dropQdisc(index int) error {
	qs, err := s.qdiscs(index)
	if err != nil {
		return err
	}
	for _, q := range qs {
		if !isRoot(q) || q.Attrs().Handle == netlink.HANDLE_NONE {
			continue
		}
		if err := s.deleteRoot(q); err != nil {
			return err
		}
	}
	return nil
}

func isRoot(q netlink.Qdisc) bool { return q.Attrs().Parent == netlink.HANDLE_ROOT }

func (s *space) deleteRoot(q netlink.Qdisc) error {
	// NB: EINVAL is another qdisc in its place (net/sched/sch_api.c, tc_get_qdisc).
	if err := s.nl.QdiscDel(q); err != nil && !gone(err) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("delete qdisc %s in %s: %w", q.Type(), s.title(), err)
	}
	return nil
}

// gone tells that what was to be undone is not there any more.
func gone(err error) bool {
	var missing netlink.LinkNotFoundError
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.As(err, &missing)
}
