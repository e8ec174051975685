// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/meter"
)

const (
	// findEvery is how long a list of sockets is used before all processes are
	// looked through again, and findShare what part of the time that may take.
	findEvery = 5 * time.Second
	findShare = 300
	// memoryOf is up to how many processes have their memory read at each look.
	memoryOf = 32
)

// Finder looks at sockets again and again. It is for one goroutine.
type Finder struct {
	sel     Select
	procs   map[int]*process
	sockets []*Socket
	// spaces are the namespaces whose files must be read at each look.
	spaces []Namespace
	next   time.Time
	notes  []string
	ended  []Process
}

// NewFinder starts with nothing known. Close it.
func NewFinder(sel Select) *Finder {
	if len(sel.Comm) > commLength {
		sel.Comm = sel.Comm[:commLength]
	}
	return &Finder{sel: sel, procs: map[int]*process{}}
}

// Close lets go of the processes.
func (f *Finder) Close() error {
	var errs error
	for pid, p := range f.procs {
		errs = errors.Join(errs, p.close())
		delete(f.procs, pid)
	}
	return errs
}

// Look reads every socket. What is there to be read is looked up anew every few
// seconds, or when something has changed.
func (f *Finder) Look() (Scan, error) {
	began := time.Now()
	f.ended = nil
	f.bury()
	if began.After(f.next) || len(f.ended) > 0 {
		if err := f.find(); err != nil {
			return Scan{}, err
		}
		f.next = began.Add(max(findEvery, time.Since(began)*findShare))
	}
	at := time.Now()
	if f.read() {
		// A descriptor was closed or is another one's now.
		f.next = time.Time{}
	}
	return f.scan(at), nil
}

func (f *Finder) scan(at time.Time) Scan {
	s := Scan{At: at, Ended: f.ended, Notes: slices.Clone(f.notes)}
	for _, k := range f.sockets {
		if k != nil {
			s.Sockets = append(s.Sockets, *k)
		}
	}
	for _, p := range f.procs {
		if len(f.procs) <= memoryOf {
			p.readRSS()
		}
		s.Processes = append(s.Processes, p.Process)
	}
	slices.SortFunc(s.Processes, func(a, b Process) int { return a.PID - b.PID })
	return s
}

// bury takes out the processes that ended.
func (f *Finder) bury() {
	for pid, p := range f.procs {
		if !p.ended() {
			continue
		}
		f.ended = append(f.ended, p.Process)
		_ = p.close()
		delete(f.procs, pid)
	}
}

// find looks through processes and namespaces.
func (f *Finder) find() error {
	f.notes = nil
	owners, err := f.owners()
	if err != nil {
		return err
	}
	spaces, err := Namespaces()
	if err != nil {
		return err
	}
	f.sockets, f.spaces = nil, nil
	for _, n := range spaces {
		found, err := n.list()
		if err != nil {
			f.note("%s: %v", n.Title(), err)
		}
		for _, l := range found {
			s := l.Socket
			s.Owners = owners[s.Inode]
			if len(s.Owners) == 0 && !f.sel.All() {
				continue
			}
			f.sockets = append(f.sockets, &s)
		}
	}
	f.spaces = spaces
	return f.prune()
}

// prune lets processes go that own no socket of interest, unless they were chosen.
func (f *Finder) prune() error {
	needed := map[int]bool{}
	for _, s := range f.sockets {
		for _, o := range s.Owners {
			needed[o.PID] = true
		}
	}
	var errs error
	for pid, p := range f.procs {
		if f.sel.All() && !needed[pid] {
			errs = errors.Join(errs, p.close())
			delete(f.procs, pid)
			continue
		}
		p.readRSS()
	}
	return errs
}

func (f *Finder) note(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	if !slices.Contains(f.notes, text) {
		f.notes = append(f.notes, text)
	}
}

// owners are the descriptors of the chosen processes, by inode. Those that have
// none are let go.
func (f *Finder) owners() (map[uint64][]Owner, error) {
	pids := f.sel.PIDs
	if len(pids) == 0 {
		all, err := allPIDs()
		if err != nil {
			return nil, err
		}
		pids = all
	}
	owners := map[uint64][]Owner{}
	for _, pid := range pids {
		if err := f.own(pid, owners); err != nil && len(f.sel.PIDs) > 0 {
			f.note("%v", err)
		}
	}
	return owners, nil
}

func (f *Finder) own(pid int, owners map[uint64][]Owner) error {
	if f.sel.Comm != "" {
		if name, err := comm(pid); err != nil || name != f.sel.Comm {
			return err
		}
	}
	p := f.procs[pid]
	if p == nil {
		opened, err := openProcess(pid)
		if err != nil {
			return err
		}
		p = opened
	}
	found, err := p.sockets()
	chosen := !f.sel.All()
	if err != nil && chosen {
		f.note("the descriptors of process %d (%s) may not be seen: %v; run it as root", pid, p.Comm, err)
	}
	if len(found) == 0 && !chosen {
		delete(f.procs, pid)
		return p.close()
	}
	f.procs[pid] = p
	for inode, fds := range found {
		slices.Sort(fds)
		for _, fd := range fds {
			owners[inode] = append(owners[inode], Owner{PID: pid, FD: fd, Comm: p.Comm})
		}
	}
	return nil
}

// read reads all sockets, and says whether the list is out of date.
func (f *Finder) read() (changed bool) {
	var inexact []*Socket
	for i, s := range f.sockets {
		if s == nil {
			continue
		}
		switch err := f.ask(s); {
		case err == nil:
		case errors.Is(err, errGone):
			f.sockets[i] = nil
			changed = true
		default:
			s.Why = err.Error()
			inexact = append(inexact, s)
		}
	}
	return f.readLists(inexact) || changed
}

// errGone says that a socket has none of the descriptors any more that it had.
var errGone = errors.New("no descriptor of the socket is left")

// ask reads a socket through the first descriptor that is still its own.
func (f *Finder) ask(s *Socket) error {
	if len(s.Owners) == 0 {
		return errors.New("its owner may not be seen; run it as root")
	}
	for _, o := range s.Owners {
		p := f.procs[o.PID]
		if p == nil {
			continue
		}
		if p.refused != nil {
			return p.refused
		}
		err := p.with(o.FD, s.Inode, func(dup int) error { return measure(dup, s) })
		if err == nil {
			s.Why = ""
			return nil
		}
		if p.refused = refusal(o.PID, err); p.refused != nil {
			return p.refused
		}
	}
	return errGone
}

// measure fills in what the socket itself says.
func measure(dup int, s *Socket) error {
	m, err := meter.ReadMemInfo(dup)
	if err != nil {
		return err
	}
	s.By, s.Charge, s.SndBuf = ByMemInfo, int64(m.WmemAlloc), int64(m.SndBuf)
	s.Unread, s.Drops = int64(m.RmemAlloc), uint64(m.Drops)
	if s.Cookie == 0 {
		// Since 4.12 (5daab9db7b65).
		if cookie, err := unix.GetsockoptUint64(dup, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil {
			s.Cookie = cookie
		}
	}
	return nil
}

// readLists reads the charges of sockets from the files of their namespaces, and
// says whether one is not there any more.
func (f *Finder) readLists(sockets []*Socket) (changed bool) {
	if len(sockets) == 0 {
		return false
	}
	now := map[uint64]Socket{}
	wanted := map[uint64]bool{}
	for _, s := range sockets {
		wanted[s.Netns] = true
	}
	for _, n := range f.spaces {
		if !wanted[n.Inode] {
			continue
		}
		found, err := n.list()
		if err != nil {
			f.note("%s: %v", n.Title(), err)
		}
		for _, l := range found {
			now[l.Inode] = l.Socket
		}
	}
	for _, s := range sockets {
		l, ok := now[s.Inode]
		if !ok {
			changed = true
			continue
		}
		s.Charge, s.Unread, s.Drops, s.By, s.SndBuf = l.Charge, l.Unread, l.Drops, l.By, 0
	}
	return changed
}
