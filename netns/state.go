// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
)

// State is a picture of all namespaces now; when is what record.State has it
// for. The kernel log is the caller's to add.
func (w *World) State(when string) (record.State, error) {
	st, err := w.Counters(when)
	if err != nil {
		return record.State{}, err
	}
	for _, s := range w.spaces {
		if err := s.lookAround(&st); err != nil {
			return record.State{}, fmt.Errorf("look at %s: %w", s.title(), err)
		}
	}
	return st, nil
}

// Counters is State without what counts nothing: addresses, neighbours and
// /proc/net/raw. It is two netlink dumps for each namespace.
func (w *World) Counters(when string) (record.State, error) {
	st := record.State{
		When: when, Links: []record.LinkState{}, Qdiscs: []record.QdiscState{},
		Neighbours: []record.NeighbourState{}, ProcNetRaw: []string{},
	}
	for _, s := range w.spaces {
		if err := w.count(s, &st); err != nil {
			return record.State{}, fmt.Errorf("count in %s: %w", s.title(), err)
		}
	}
	return st, nil
}

func (w *World) count(s *space, st *record.State) error {
	links, err := s.links()
	if err != nil {
		return err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		st.Links = append(st.Links, w.linkState(s, l))
	}
	qs, err := s.qdiscs(0)
	if err != nil {
		return err
	}
	for _, q := range qs {
		st.Qdiscs = append(st.Qdiscs, s.qdiscState(q, names))
	}
	text, err := s.procNet("snmp", "netstat", nfqueueFile)
	if err != nil {
		return err
	}
	st.IP = append(st.IP, record.IPState{Netns: s.name, Counters: ipCounters(text[0], text[1])})
	w.countQueues(s, st, text[2])
	return nil
}

// lookAround adds what a count has no need of.
func (s *space) lookAround(st *record.State) error {
	names := map[int]string{}
	for i := range st.Links {
		l := &st.Links[i]
		if l.Netns != s.name {
			continue
		}
		names[l.Index] = l.Name
		link := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Name: l.Name, Index: l.Index}}
		addrs, err := s.nl.AddrList(link, netlink.FAMILY_ALL)
		if err != nil && !gone(err) {
			return fmt.Errorf("list addresses of %s: %w", l.Name, err)
		}
		for _, p := range prefixes(addrs) {
			l.Addresses = append(l.Addresses, p.String())
		}
	}
	if err := s.askDrivers(st); err != nil {
		return fmt.Errorf("ask the drivers: %w", err)
	}
	ns, err := s.neighbours()
	if err != nil {
		return err
	}
	for _, n := range ns {
		st.Neighbours = append(st.Neighbours, record.NeighbourState{
			Netns: s.name, Link: names[n.LinkIndex], Address: n.IP.String(),
			LLAddr: n.HardwareAddr.String(), State: nudName(n.State),
		})
	}
	text, err := s.procNet("raw")
	if err != nil {
		return err
	}
	st.ProcNetRaw = append(st.ProcNetRaw, strings.Split(strings.TrimSpace(text[0]), "\n")[1:]...)
	return nil
}

func (w *World) linkState(s *space, l netlink.Link) record.LinkState {
	a := l.Attrs()
	st := record.LinkState{
		Netns: s.name, Name: a.Name, Kind: l.Type(), Index: a.Index, MTU: a.MTU, TxQLen: a.TxQLen,
		LLAddr: a.HardwareAddr.String(),
		Flags:  a.Flags.String(), OperState: a.OperState.String(), Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
	}
	if n := a.Statistics; n != nil {
		st.TxPackets, st.TxDropped, st.TxErrors = n.TxPackets, n.TxDropped, n.TxErrors
		st.RxPackets, st.RxDropped = n.RxPackets, n.RxDropped
	}
	lk := w.find(s.name, a.Name)
	if lk == nil {
		return st
	}
	st.Via = s.name == "" && slices.Contains(w.via, lk.Name)
	for _, lower := range w.stacking().Below(lk) {
		st.Lower = append(st.Lower, lower.Name)
	}
	if lk.peer != nil {
		st.Peer, st.PeerNetns = lk.peer.Name, lk.peer.Netns
	}
	return st
}

func (s *space) qdiscState(q netlink.Qdisc, names map[int]string) record.QdiscState {
	a := q.Attrs()
	st := record.QdiscState{
		Netns: s.name, Link: names[a.LinkIndex], Kind: q.Type(),
		Handle: netlink.HandleStr(a.Handle), Parent: netlink.HandleStr(a.Parent),
	}
	if n := a.Statistics; n != nil {
		if n.Basic != nil {
			st.Packets, st.Bytes = n.Basic.Packets, n.Basic.Bytes
		}
		if n.Queue != nil {
			st.Drops, st.Backlog, st.QLen = n.Queue.Drops, n.Queue.Backlog, n.Queue.Qlen
			st.Overlimits, st.Requeues = n.Queue.Overlimits, n.Queue.Requeues
		}
	}
	return st
}

// nfqueueFile is there as long as nfnetlink_queue is.
const nfqueueFile = "netfilter/nfnetlink_queue"

// procNet reads files of the namespace's /proc/net; nfqueueFile may be missing, and
// only root of the first user namespace may read it.
func (s *space) procNet(files ...string) ([]string, error) {
	var texts []string
	err := s.quick(func() error {
		for _, file := range files {
			// NB: /proc/net is that of the main thread's namespace.
			text, err := os.ReadFile("/proc/thread-self/net/" + file)
			without := file == nfqueueFile && (errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission))
			if err != nil && !without {
				return fmt.Errorf("read /proc/net/%s in %s: %w", file, s.title(), err)
			}
			texts = append(texts, string(text))
		}
		return nil
	})
	return texts, err
}

// ipCounters is what IPv4 counted, by the texts of snmp and netstat.
func ipCounters(snmp, netstat string) map[string]uint64 {
	all := namedCounters(snmp, "Ip:")
	for _, name := range []string{"Forwarding", "DefaultTTL"} {
		delete(all, name)
	}
	for name, n := range namedCounters(netstat, "IpExt:") {
		if name == "OutMcastPkts" || name == "OutBcastPkts" {
			all[name] = n
		}
	}
	return all
}

// namedCounters reads one group of /proc/net/snmp or netstat: a line of names
// and a line of figures, both beginning with the group. It leaves out what is 0,
// except OutTransmits: that a kernel has it says what OutRequests means.
func namedCounters(text, group string) map[string]uint64 {
	out := map[string]uint64{}
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != group {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i := 1; i < min(len(names), len(fields)); i++ {
			if n, err := strconv.ParseUint(fields[i], 10, 64); err == nil && (n > 0 || names[i] == "OutTransmits") {
				out[names[i]] = n
			}
		}
		break
	}
	return out
}

// countQueues adds the NFQUEUEs that the scenario's rules name in s, by the text
// of nfqueueFile. A queue with a listener has a line there; where it was not to be
// read, nothing is known of the queue.
func (w *World) countQueues(s *space, st *record.State, text string) {
	for _, f := range w.filters {
		if f.in != s {
			continue
		}
		for _, q := range f.queues() {
			if text == "" && q.listening() {
				continue
			}
			state := q.state(text)
			state.Netns = s.name
			st.Queues = append(st.Queues, state)
		}
	}
}

// state reads the queue's line of /proc/net/netfilter/nfnetlink_queue (seq_show
// in net/netfilter/nfnetlink_queue.c); it has one as long as somebody listens.
func (q *queue) state(proc string) record.QueueState {
	st := record.QueueState{Number: q.Number, Hooks: q.hooks, Links: q.links}
	for line := range strings.Lines(proc) {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[0] != strconv.Itoa(q.Number) {
			continue
		}
		for column, figure := range map[int]*uint64{
			2: &st.Waiting, 5: &st.QueueDropped, 6: &st.UserDropped, 7: &st.Sequence,
		} {
			if n, err := strconv.ParseUint(fields[column], 10, 64); err == nil {
				*figure = n
			}
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.on != nil {
		q.on.mu.Lock()
		defer q.on.mu.Unlock()
		st.Seen, st.Withheld, st.Accepted, st.Dropped = q.on.seen, q.on.withheld, q.on.accepted, q.on.dropped
	}
	return st
}
