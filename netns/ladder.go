// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// Steps lists the rungs of the ladder as the World is now, mildest first. They
// are to be climbed in turn; each is harmless when what it undoes is gone.
// What is not there now, a neighbour above all, cannot be named by a step.
func (w *World) Steps(ctx context.Context) ([]Step, error) {
	w.labelLinks()
	stacking := w.stacking()
	near := stacking.Nearness()
	steps := slices.Concat(readerSteps(near), w.filterSteps())
	qdiscs, err := qdiscSteps(near)
	if err != nil {
		return nil, err
	}
	steps = append(steps, qdiscs...)
	neighbours, err := w.neighbourSteps()
	if err != nil {
		return nil, err
	}
	steps = append(steps, neighbours...)
	steps = append(steps, linkSteps(stacking.Upper(), record.RungDown, record.RungDelete)...)
	steps = append(steps, linkSteps(stacking.Lower(), record.RungLowerDown, record.RungLowerGone)...)
	return append(steps, processSteps(near)...), ctx.Err()
}

// labelLinks gives each link the name steps call it by: one whose name the
// sandbox's own namespace has too is told apart by its namespace.
func (w *World) labelLinks() {
	for _, lk := range w.links {
		lk.label = lk.Name
		if lk.Netns != "" && w.find("", lk.Name) != nil {
			lk.label = lk.Name + " in " + lk.Netns
		}
	}
}

// readerSteps let the readers of tunnels and packet sockets take all.
func readerSteps(near []*link) []Step {
	var steps []Step
	for _, lk := range near {
		if lk.tunnel != nil && lk.reader != scenarios.ReaderDrain {
			steps = append(steps, Step{
				Rung: record.RungReader, On: lk.label, Holder: "reader of " + lk.label,
				Do: func(context.Context) error { return lk.tunnel.drain() },
			})
		}
		if lk.packets != nil && lk.PacketSocket == scenarios.UnreadPacketSocket {
			steps = append(steps, Step{
				Rung: record.RungReader, On: "packet socket on " + lk.label, Holder: "packet socket on " + lk.label,
				Do: func(context.Context) error { return lk.packets.drain() },
			})
		}
	}
	return steps
}

// filterSteps give verdicts, close listeners and flush the rules.
func (w *World) filterSteps() []Step {
	var verdicts, listeners, flushes []Step
	for _, f := range w.filters {
		holder := "netfilter rules"
		for _, q := range f.queues() {
			name := fmt.Sprintf("nfqueue %d", q.Number)
			holder = name
			if !q.listening() {
				continue
			}
			verdicts = append(verdicts, Step{
				Rung: record.RungVerdict, On: name, Holder: name,
				Do: func(context.Context) error { return q.giveVerdicts() },
			})
			listeners = append(listeners, Step{
				Rung: record.RungListener, On: name, Holder: name,
				Do: func(context.Context) error { return q.close() },
			})
		}
		flushes = append(flushes, Step{
			Rung: record.RungFilter, On: "rules of " + f.in.title(), Holder: holder,
			Do: func(context.Context) error { return f.flush() },
		})
	}
	return slices.Concat(verdicts, listeners, flushes)
}

// qdiscSteps take away each root qdisc that can hold something.
func qdiscSteps(near []*link) ([]Step, error) {
	var steps []Step
	for _, lk := range near {
		qs, err := lk.space.qdiscs(lk.index)
		if err != nil {
			return nil, err
		}
		for _, q := range qs {
			if !isRoot(q) || q.Type() == "noqueue" {
				continue
			}
			on := fmt.Sprintf("%s on %s", lk.queueing(qs), lk.label)
			steps = append(steps, Step{
				Rung: record.RungQdisc, On: on, Holder: "qdisc " + on, Backlog: int64(backlog(q)),
				Do: func(context.Context) error { return lk.takeQdisc(q) },
			})
		}
	}
	return steps, nil
}

// queueing is the kind of qdisc that has what waits on the link.
func (lk *link) queueing(qs []netlink.Qdisc) string {
	var states []record.QdiscState
	for _, q := range qs {
		if q.Attrs().LinkIndex == lk.index {
			states = append(states, lk.space.qdiscState(q, map[int]string{lk.index: lk.Name}))
		}
	}
	q, _ := record.QueueingQdisc(states)
	return q.Kind
}

// takeQdisc deletes the root qdisc. The default one, of handle 0, cannot be
// deleted; putting another in its place purges it (net/sched/sch_generic.c,
// dev_deactivate).
func (lk *link) takeQdisc(q netlink.Qdisc) error {
	if q.Attrs().Handle != netlink.HANDLE_NONE {
		return lk.space.deleteRoot(q)
	}
	err := lk.addRaw(netlink.HANDLE_ROOT, "pfifo", nil, unix.NLM_F_REPLACE)
	if err != nil && !gone(err) {
		return fmt.Errorf("put a pfifo in the place of %s on %s: %w", q.Type(), lk.Name, err)
	}
	return nil
}

func (w *World) neighbourSteps() ([]Step, error) {
	var steps []Step
	for _, s := range w.spaces {
		ns, err := s.flushable()
		if err != nil {
			return nil, err
		}
		for _, n := range ns {
			on := fmt.Sprintf("%s on %s", n.IP, w.nameOf(s, n.LinkIndex))
			steps = append(steps, Step{
				Rung: record.RungNeighbour, On: on, Holder: "neighbour " + on,
				Do: func(context.Context) error { return s.flushNeighbour(n) },
			})
		}
	}
	return steps, nil
}

func (s *space) flushNeighbour(n netlink.Neigh) error {
	err := s.nl.NeighDel(&netlink.Neigh{LinkIndex: n.LinkIndex, Family: n.Family, IP: n.IP})
	if err != nil && !gone(err) {
		return fmt.Errorf("flush neighbour %s in %s: %w", n.IP, s.title(), err)
	}
	return nil
}

func (w *World) nameOf(s *space, index int) string {
	for _, lk := range w.links {
		if lk.space == s && lk.index == index {
			return lk.label
		}
	}
	return fmt.Sprintf("link %d of %s", index, s.title())
}

// linkSteps set all the links down, and then delete them.
func linkSteps(links []*link, down, deleted record.RungKind) []Step {
	var downs, deletes []Step
	for _, lk := range links {
		holder := "driver of " + lk.label
		if !lk.Down {
			downs = append(downs, Step{
				Rung: down, On: lk.label, Holder: holder,
				Do: func(context.Context) error { return lk.setDown() },
			})
		}
		deletes = append(deletes, Step{
			Rung: deleted, On: lk.label, Holder: holder,
			Do: func(context.Context) error { return lk.remove() },
		})
	}
	return append(downs, deletes...)
}

func (lk *link) handle() netlink.Link {
	return &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Name: lk.Name, Index: lk.index}}
}

func (lk *link) setDown() error {
	if err := lk.space.nl.LinkSetDown(lk.handle()); err != nil && !gone(err) {
		return fmt.Errorf("set %s down: %w", lk.Name, err)
	}
	return nil
}

func (lk *link) remove() error {
	if lk.card != nil {
		return lk.card.unbind()
	}
	if err := lk.space.nl.LinkDel(lk.handle()); err != nil && !gone(err) {
		return fmt.Errorf("delete %s: %w", lk.Name, err)
	}
	return nil
}

func processSteps(near []*link) []Step {
	var steps []Step
	for _, lk := range near {
		if lk.process != nil {
			steps = append(steps, Step{
				Rung: record.RungProcessEnd, On: lk.kind + " of " + lk.label, Holder: "reader of " + lk.label,
				Do: func(context.Context) error { return lk.process.Close() },
			})
		}
	}
	return steps
}
