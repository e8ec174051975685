// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// addQdiscs puts the listed root qdiscs in place.
func (w *World) addQdiscs() error {
	for _, lk := range w.links {
		if lk.Qdisc == nil {
			continue
		}
		if err := lk.addQdisc(lk.Qdisc.Options, netlink.HANDLE_ROOT); err != nil {
			return err
		}
	}
	return nil
}

// addQdisc makes a qdisc below parent, which is HANDLE_ROOT or a class.
func (lk *link) addQdisc(options scenarios.QdiscOptions, parent uint32) error {
	err := lk.addKind(options, parent)
	var missing *record.UnsupportedError
	// NB: ENOENT means an unknown kind and nothing else, since the parent is
	// there (net/sched/sch_api.c, qdisc_create).
	if errors.Is(err, unix.ENOENT) && !errors.As(err, &missing) {
		err = unsupported(scenarios.QdiscNeed(options.Kind()), err)
	}
	if err != nil {
		return fmt.Errorf("add qdisc %s to %s: %w", options.Kind(), lk.Name, err)
	}
	return nil
}

// qdiscBuild builds one qdisc, as linkBuild does a link.
type qdiscBuild struct {
	lk     *link
	parent uint32
}

// addKind makes a qdisc by its kind.
func (lk *link) addKind(options scenarios.QdiscOptions, parent uint32) error {
	found, err := buildBy(qdiscBuild{lk, parent}, options)
	if !found {
		return fmt.Errorf("no way is known to build a qdisc of kind %s", options.Kind())
	}
	return err
}

// below are the attributes of a qdisc of the link.
func (lk *link) below(parent uint32) netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: lk.index, Parent: parent}
}

// addRaw sends a qdisc whose options the netlink package cannot say; nil leaves
// the kernel's own. flags is NLM_F_EXCL or NLM_F_REPLACE.
func (lk *link) addRaw(parent uint32, kind string, options *nl.RtAttr, flags int) error {
	return lk.space.quick(func() error {
		req := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_ACK|unix.NLM_F_CREATE|flags)
		req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(lk.index), Parent: parent})
		req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated(kind)))
		if options != nil {
			req.AddData(options)
		}
		_, err := req.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
}

// qdiscs lists the qdiscs of a link, or of all for index 0. The built-in noop
// of a link that does not run is not among them.
func (s *space) qdiscs(index int) ([]netlink.Qdisc, error) {
	var of netlink.Link
	if index != 0 {
		of = &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}}
	}
	qs, err := s.nl.QdiscList(of)
	// NB: a dump that other changes interrupted is still good for one look.
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list qdiscs in %s: %w", s.title(), err)
	}
	return qs, nil
}

// backlog is the bytes that wait in q.
func backlog(q netlink.Qdisc) uint32 {
	if st := q.Attrs().Statistics; st != nil && st.Queue != nil {
		return st.Queue.Backlog
	}
	return 0
}
