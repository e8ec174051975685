package netns

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// addQdiscs puts the listed root qdiscs in place.
func (w *World) addQdiscs() error {
	for _, lk := range w.links {
		if lk.Qdisc == nil {
			continue
		}
		err := lk.addQdisc(lk.Qdisc.Options)
		kind := lk.Qdisc.Kind()
		// NB: for a root qdisc ENOENT means an unknown kind and nothing else
		// (net/sched/sch_api.c, qdisc_create).
		if errors.Is(err, unix.ENOENT) {
			err = qdiscNeed(kind).unsupported(err)
		}
		if err != nil {
			return fmt.Errorf("add qdisc %s to %s: %w", kind, lk.Name, err)
		}
	}
	return nil
}

// addQdisc makes the root qdisc by its kind: one line a kind, which lives in
// its own file.
func (lk *link) addQdisc(options scenarios.QdiscOptions) error {
	switch o := options.(type) {
	case *scenarios.PlugOptions:
		return lk.addPlug(o)
	case *scenarios.TbfOptions:
		return lk.addTbf(o)
	case *scenarios.HtbOptions:
		return lk.addHtb(o)
	case *scenarios.NetemOptions:
		return lk.addNetem(o)
	case *scenarios.FqOptions:
		return lk.addFq(o)
	case *scenarios.FqCodelOptions:
		return lk.addFqCodel(o)
	case *scenarios.PfifoOptions:
		return lk.addPfifo(o)
	default:
		return fmt.Errorf("no way is known to build a qdisc of kind %s", options.Kind())
	}
}

// root are the attributes of a root qdisc of the link.
func (lk *link) root() netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: lk.index, Parent: netlink.HANDLE_ROOT}
}

// addRoot sends a root qdisc whose options the netlink package cannot say; nil
// leaves the kernel's own. flags is NLM_F_EXCL or NLM_F_REPLACE.
func (s *space) addRoot(index int, kind string, options *nl.RtAttr, flags int) error {
	return s.do(func() error {
		req := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_ACK|unix.NLM_F_CREATE|flags)
		req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Parent: netlink.HANDLE_ROOT})
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
