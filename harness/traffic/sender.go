// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// Config is a socket and what to send through it.
type Config struct {
	// Name is what a report calls the socket; "" makes one of Targets.
	Name string
	// Socket is one of scenarios.Sockets.
	Socket string
	Spec   Spec
	// Destination overrides that of Spec; the zero Addr leaves it.
	Destination netip.Addr
	// Size and Payload are as for Build.
	Size    *int
	Payload []byte
	// Interface is how the link is named: scenarios.InterfaceMulticastIf, the
	// default, or scenarios.InterfacePktInfo. IP_MULTICAST_IF says nothing of a
	// packet to one host, which always takes IP_PKTINFO; a packet socket names
	// its link by address.
	Interface string
	// SndBuf is what SO_SNDBUF is asked for in bytes; 0 leaves the default.
	SndBuf int
	// Targets are the links, at least one, served by turns.
	Targets []Target
}

// Sender is one open socket with its packets ready to go. It is not safe for
// concurrent use, but others may look at its FD.
type Sender struct {
	name string
	fd   int
	// most is the highest number of packets in one call.
	most int
	ring *ring
	// switched names the link by IP_MULTICAST_IF before each packet; nil where
	// the socket has one link or the packet names its own.
	switched []unix.IPMreqn
	// turn is the target that is next.
	turn int
	poll unix.PollFd

	state socketState
	// names are the links, by turns, and forms what goes through each.
	names []string
	forms []record.SentForm
	// growing is the link whose packet went last, -1 for none, and charged the
	// charge before it; only where there are several links.
	growing, charged int
	// offered counts the packets handed to the kernel, whose fate is not known or
	// which it took, over all runs.
	offered atomic.Int64
	// limit is sk_sndbuf; poll says writable below half of it.
	limit int
	// roomy is what one packet may cost at the most, roughly.
	roomy int
}

// begin makes ready for a run of so many packets.
func (s *Sender) begin(packets int) {
	s.state = socketState{left: packets, toStall: -1, step: 1, kept: newKept()}
	s.growing = -1
	if len(s.names) > 1 {
		for _, name := range s.names {
			s.state.links = append(s.state.links, LinkStats{Link: name})
		}
	}
	// What an earlier run left behind is not this one's.
	s.drain(nil)
}

// Offered is how many packets the kernel took over all runs, and those that it
// is being handed. It may be called beside a run.
func (s *Sender) Offered() int { return int(s.offered.Load()) }

// overfull reports whether the send buffer is filled twice over: then a socket
// that allocates without waiting gives ENOBUFS itself.
func (s *Sender) overfull() bool { return charge(s.fd) >= 2*s.limit-s.roomy }

// Open opens the socket of cfg. An unprivileged caller gets EPERM.
func Open(cfg Config) (*Sender, error) {
	if len(cfg.Targets) == 0 {
		return nil, errors.New("open a sending socket: no link to send through: name one in `via`")
	}
	fd, err := openSocket(cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s socket for %s: %w", cfg.Socket, cfg.Spec.Name, err)
	}
	s := &Sender{name: cfg.name(), fd: fd, poll: unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}}
	if err := s.prepare(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s socket for %s: %w", cfg.Socket, cfg.Spec.Name, err), s.Close())
	}
	return s, nil
}

func (c Config) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case len(c.Targets) == 1:
		return c.Targets[0].Link
	default:
		return "all links"
	}
}

// prepare builds a packet for each target and the messages that carry them.
func (s *Sender) prepare(cfg Config) error {
	messages := make([]message, 0, len(cfg.Targets))
	largest := 0
	for _, t := range cfg.Targets {
		s.names = append(s.names, t.Link)
		p, err := Build(cfg.Spec, t.Source, cfg.Destination, cfg.Size, cfg.Payload)
		if err != nil {
			return err
		}
		m, err := newMessage(cfg, t, p)
		if err != nil {
			return err
		}
		messages, largest = append(messages, m), max(largest, len(p.ip))
		s.forms = append(s.forms, formOf(cfg, t, p, m.data))
		if err := setAddressing(s.fd, cfg, t, p); err != nil {
			return err
		}
	}
	s.ring = newRing(messages)
	buf, err := s.SndBuf()
	if err != nil {
		return err
	}
	s.limit, s.most, s.roomy = buf, batchLimit(buf, largest), overhead+2*largest
	if len(cfg.Targets) > 1 {
		// Between two packets is looked which link kept the first.
		s.most = 1
		if cfg.byMulticastIf(cfg.destination()) {
			s.switched = multicastRequests(cfg.Targets)
		}
	}
	return nil
}

// destination is where the packets go; the zero Addr if nobody said.
func (c Config) destination() netip.Addr {
	if c.Destination.IsValid() {
		return c.Destination
	}
	return c.Spec.Destination
}

// byMulticastIf reports whether IP_MULTICAST_IF names the link.
func (c Config) byMulticastIf(dst netip.Addr) bool {
	return !c.packetSocket() && c.Interface != scenarios.InterfacePktInfo && dst.IsMulticast()
}

func (c Config) packetSocket() bool {
	return c.Socket == scenarios.SocketPacket || c.Socket == scenarios.SocketPacketDgram
}

// overhead is more than an skb of few bytes costs on x86-64, in bytes.
const overhead = 960

// batchLimit keeps a batch to about three quarters of what fits below the stall
// threshold, half of sndbuf, so that the batch that crosses it is seen coming.
func batchLimit(sndbuf, largest int) int {
	return min(max(sndbuf*3/8/(overhead+2*largest), 1), maxBatch)
}

// Name is what a report calls the socket.
func (s *Sender) Name() string { return s.name }

// FD is the socket, for whoever measures it; valid until Close.
func (s *Sender) FD() int { return s.fd }

// SndBuf is sk_sndbuf in bytes: twice what was asked, cut to twice
// net.core.wmem_max (sk_setsockopt, net/core/sock.c).
func (s *Sender) SndBuf() (int, error) {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return 0, fmt.Errorf("read SO_SNDBUF of %s: %w", s.name, err)
	}
	return n, nil
}

// Close closes the socket. What it sent may outlive it.
func (s *Sender) Close() error {
	if s.fd < 0 {
		return nil
	}
	fd := s.fd
	s.fd = -1
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close socket of %s: %w", s.name, err)
	}
	return nil
}
