package netns

import (
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
)

// State is a picture of all namespaces now; when is record's "held" or "end".
// The kernel log is the caller's to add.
func (w *World) State(when string) (record.State, error) {
	st := record.State{
		When: when, Links: []record.LinkState{}, Qdiscs: []record.QdiscState{},
		Neighbours: []record.NeighbourState{}, ProcNetRaw: []string{},
	}
	for _, s := range w.spaces {
		if err := s.picture(&st); err != nil {
			return record.State{}, fmt.Errorf("look at %s: %w", s.title(), err)
		}
	}
	return st, nil
}

func (s *space) picture(st *record.State) error {
	links, err := s.links()
	if err != nil {
		return err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		state, err := s.linkState(l)
		if err != nil {
			return err
		}
		st.Links = append(st.Links, state)
	}
	qs, err := s.qdiscs(0)
	if err != nil {
		return err
	}
	for _, q := range qs {
		st.Qdiscs = append(st.Qdiscs, s.qdiscState(q, names))
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
	lines, err := s.procNetRaw()
	st.ProcNetRaw = append(st.ProcNetRaw, lines...)
	return err
}

func (s *space) linkState(l netlink.Link) (record.LinkState, error) {
	a := l.Attrs()
	st := record.LinkState{
		Netns: s.name, Name: a.Name, Kind: l.Type(), Index: a.Index, MTU: a.MTU, TxQLen: a.TxQLen,
		Flags: a.Flags.String(), OperState: a.OperState.String(), Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
	}
	if n := a.Statistics; n != nil {
		st.TxPackets, st.TxDropped, st.TxErrors = n.TxPackets, n.TxDropped, n.TxErrors
		st.RxPackets, st.RxDropped = n.RxPackets, n.RxDropped
	}
	addrs, err := s.nl.AddrList(l, netlink.FAMILY_ALL)
	if err != nil && !gone(err) {
		return st, fmt.Errorf("list addresses of %s: %w", a.Name, err)
	}
	for _, p := range prefixes(addrs) {
		st.Addresses = append(st.Addresses, p.String())
	}
	return st, nil
}

func (s *space) qdiscState(q netlink.Qdisc, names map[int]string) record.QdiscState {
	a := q.Attrs()
	st := record.QdiscState{
		Netns: s.name, Link: names[a.LinkIndex], Kind: q.Type(),
		Handle: netlink.HandleStr(a.Handle), Parent: netlink.HandleStr(a.Parent),
	}
	if n := a.Statistics; n != nil {
		if n.Basic != nil {
			st.Packets = n.Basic.Packets
		}
		if n.Queue != nil {
			st.Drops, st.Backlog, st.QLen = n.Queue.Drops, n.Queue.Backlog, n.Queue.Qlen
		}
	}
	return st
}

// procNetRaw gives the lines of the namespace's /proc/net/raw less the heading.
func (s *space) procNetRaw() ([]string, error) {
	var text []byte
	err := s.quick(func() error {
		var err error
		// NB: /proc/net is that of the main thread's namespace.
		text, err = os.ReadFile("/proc/thread-self/net/raw")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read /proc/net/raw: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[1:], nil
}
