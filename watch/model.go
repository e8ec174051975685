// SPDX-License-Identifier: GPL-2.0-only

package watch

import (
	"cmp"
	"slices"
	"time"

	"skleak/procsock"
)

// Model keeps the courses of sockets from look to look.
type Model struct {
	sockets   map[uint64]*socketCourse
	processes map[int]*course
	looks     int
}

type socketCourse struct {
	course
	blocked *time.Time
	// before says that it was blocked when it was first seen, and that was at the
	// first look.
	before bool
	seen   int
}

// NewModel has seen nothing yet.
func NewModel() *Model {
	return &Model{sockets: map[uint64]*socketCourse{}, processes: map[int]*course{}}
}

// Take adds a look, and says what is known with it. Sockets are sorted by their
// share of the way to silence, the furthest first.
func (m *Model) Take(scan procsock.Scan) Look {
	m.looks++
	look := Look{Schema: Schema, Time: scan.At, Sockets: []Socket{}, Processes: []Process{}, Notes: scan.Notes}
	for _, s := range scan.Sockets {
		look.Sockets = append(look.Sockets, m.socket(scan.At, s))
	}
	for inode, c := range m.sockets {
		if c.seen != m.looks {
			delete(m.sockets, inode)
		}
	}
	for _, p := range scan.Processes {
		look.Processes = append(look.Processes, m.process(scan.At, p))
	}
	for _, p := range scan.Ended {
		delete(m.processes, p.PID)
		look.Ended = append(look.Ended, Process{PID: p.PID, Comm: p.Comm, RSS: p.RSS})
	}
	slices.SortStableFunc(look.Sockets, order)
	return look
}

func order(a, b Socket) int {
	return cmp.Or(
		cmp.Compare(orZero(b.Share), orZero(a.Share)),
		cmp.Compare(orZero(b.Charge), orZero(a.Charge)),
		cmp.Compare(a.PID, b.PID), cmp.Compare(a.FD, b.FD), cmp.Compare(a.Inode, b.Inode),
	)
}

func orZero[T int64 | float64](v *T) T {
	if v == nil {
		return 0
	}
	return *v
}

func (m *Model) process(at time.Time, p procsock.Process) Process {
	out := Process{PID: p.PID, Comm: p.Comm, RSS: p.RSS}
	if p.RSS == 0 {
		return out
	}
	c := m.processes[p.PID]
	if c == nil {
		c = &course{}
		m.processes[p.PID] = c
	}
	c.add(at, p.RSS)
	if g := c.growth(); g != nil {
		out.RSSPerSecond = &g.BytesPerSecond
	}
	return out
}

func (m *Model) socket(at time.Time, s procsock.Socket) Socket {
	out := Socket{
		Owners: s.Owners, Netns: s.Netns, NetnsName: s.NetnsName, Kind: s.Kind, Protocol: s.Protocol, Port: s.Port,
		Local: s.Local, Inode: s.Inode, Unread: s.Unread, Drops: s.Drops, By: s.By, Exact: s.Exact(), Why: s.Why,
	}
	if len(s.Owners) > 0 {
		out.PID, out.FD, out.Comm = s.Owners[0].PID, s.Owners[0].FD, s.Owners[0].Comm
	} else {
		out.Owners = []procsock.Owner{}
	}
	c := m.sockets[s.Inode]
	if c == nil {
		c = &socketCourse{}
		m.sockets[s.Inode] = c
	}
	first := c.seen == 0
	c.seen = m.looks
	if s.Charge == procsock.Unknown {
		return out
	}
	c.add(at, s.Charge)
	charge := s.Charge
	out.Charge = &charge
	if held, known := c.held(at); known {
		out.Held = &held
	}
	out.Growth = c.growth()
	if s.SndBuf > 0 {
		c.limit(&out, s, at, first && m.looks == 1)
	}
	return out
}

// limit fills in what the send buffer tells.
func (c *socketCourse) limit(out *Socket, s procsock.Socket, at time.Time, first bool) {
	sndbuf, share, writable := s.SndBuf, Share(s.Charge, s.SndBuf), Writable(s.Charge, s.SndBuf)
	out.SndBuf, out.Share, out.Writable = &sndbuf, &share, &writable
	if writable {
		c.blocked, c.before = nil, false
		if out.Growth != nil {
			left := float64(s.SndBuf/2-1-s.Charge) / out.Growth.BytesPerSecond
			out.LeftSeconds = &left
		}
		return
	}
	if c.blocked == nil {
		c.blocked, c.before = &at, first
	}
	out.BlockedSince, out.BlockedBefore = c.blocked, c.before
}

// Writable is sock_writeable of a socket with so many bytes charged: the counter
// is one more.
func Writable(charge, sndbuf int64) bool { return charge+1 < sndbuf/2 }

// Share is the part of the way to silence that a charge has gone.
func Share(charge, sndbuf int64) float64 {
	if charge <= 0 || sndbuf < 2 {
		return 0
	}
	return float64(charge+1) / float64(sndbuf/2)
}
