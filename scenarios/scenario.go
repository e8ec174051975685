// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"strings"
	"time"

	"skleak/record"
)

// Scenario is one experiment: what to build, what to send, what to expect.
type Scenario struct {
	// Name is family/case, unique in the catalogue: "tun/unread".
	Name string
	// About is one sentence: why the scenario exists.
	About string
	// Namespaces gives options of namespaces beside the sandbox's own. One that
	// a link names need not be listed.
	Namespaces []Namespace
	// Links are built so that parents and masters come first, else as listed.
	Links []Link
	// Routes are added when all links are up.
	Routes []Route
	// Filters are netfilter rules, added after the routes.
	Filters []Filter
	Traffic Traffic
	// Expect are the verdicts a sound kernel may show; at least one.
	Expect []record.Verdict
	// Known is a defect known upstream; nil for none.
	Known *record.Known
	// Lasting marks a scenario that may leave kernel memory lost for good. It is
	// skipped on the host unless asked for.
	Lasting bool
	// IPv6 leaves IPv6 on. It adds packets of the kernel's own to the queues.
	IPv6 bool
	// Patience is how long to wait for a held charge to go by itself; nil for
	// the run's own (--patience).
	Patience *time.Duration
	// Control is set on scenarios that show the instrument works.
	Control ControlKind
	// Shows is what a control that must hold has to show beside its verdict; nil
	// for any other scenario.
	Shows *Shows
}

// Shows is what a control that must hold has to show: with it holder, rung and
// amount are tried too. The amount is the least that silences the sender.
type Shows struct {
	// Holder and ReleasedBy are those of the result.
	Holder     string
	ReleasedBy string
	// Passes is how many packets may go through before the first is held.
	Passes int
}

// ControlKind says what a control must show.
type ControlKind string

// The kinds of control. Of several that must hold, the first that this kernel
// can build and that shows what it must is used.
const (
	NotControl      ControlKind = ""
	ControlMustHold ControlKind = "must-hold"
	ControlMustNot  ControlKind = "must-not-hold"
)

// Namespace is a network namespace beside the sandbox's own.
type Namespace struct {
	// Name is what links call it; at most 15 characters.
	Name string
	// Forward turns IPv4 forwarding on.
	Forward bool
}

// Common is what every link may have, and the far end of a veth too.
type Common struct {
	// Name is the interface's name, 1 to 15 characters (IFNAMSIZ less the NUL).
	Name string
	// Netns is a namespace's name; "" is the sandbox's own, which sends.
	Netns string
	// Addresses are IPv4 (or, with IPv6 on, IPv6) in CIDR form.
	Addresses []string
	// MAC is the link's own hardware address; "" leaves the kernel's choice.
	MAC string
	// MTU in bytes, 68 to 65535; 0 leaves the kind's own.
	MTU int
	// TxQueueLen in packets; nil leaves the kind's own.
	TxQueueLen *int
	// Down leaves the link down.
	Down bool
	// Master is the bridge, bond, team or vrf this link is a port of.
	Master string
	// Qdisc replaces the root qdisc; nil leaves the kernel's default.
	Qdisc *Qdisc
	// PacketSocket opens an AF_PACKET socket bound to the link.
	PacketSocket PacketSocket
	// Neighbours are permanent entries.
	Neighbours []Neighbour
}

// PacketSocket is an AF_PACKET listener on a link.
type PacketSocket string

// What the listener does.
const (
	NoPacketSocket     PacketSocket = ""
	UnreadPacketSocket PacketSocket = "unread"
	DrainPacketSocket  PacketSocket = "drain"
)

// Link is one interface of one kind.
type Link struct {
	Common
	// Options belong to the kind; their type says which it is. Never nil.
	Options LinkOptions
}

// Kind is the link's kind: "vxlan".
func (l Link) Kind() string { return l.Options.Kind() }

// LinkOptions are the options of one kind of link: a pointer to TunOptions,
// VethOptions and so on.
type LinkOptions interface {
	// Kind is the name files use.
	Kind() string
	// Lower names the links this one is built upon.
	Lower() []string
	// Check says what is wrong with the options, by the name of the key; its
	// error is a *KeyError.
	Check() error
	// fields is the kind's part of a link's mapping in a file.
	fields() []field
}

// Paired are options of a kind that makes two interfaces at once, tied together.
type Paired interface {
	// PeerEnd is the far one.
	PeerEnd() *Common
}

// PairedByIP are options of a pair that the words of ip-link(8) can make.
type PairedByIP interface {
	Paired
	// IPLink are the words between the name and the peer: type veth.
	IPLink() []string
}

// PeerOf is the far end of a link that is one of two; nil for any other.
func PeerOf(l Link) *Common {
	if o, ok := l.Options.(Paired); ok {
		return o.PeerEnd()
	}
	return nil
}

// Neighbour is a permanent neighbour entry.
type Neighbour struct {
	Address string
	LLAddr  string
}

// Route is a static route.
type Route struct {
	// Netns is where; "" the sandbox's own.
	Netns string
	// To is a CIDR or "default".
	To   string
	Via  string
	Link string
}

// Qdisc is a queueing discipline.
type Qdisc struct {
	// Options belong to the kind; never nil.
	Options QdiscOptions
}

// Kind is the qdisc's kind: "tbf".
func (q Qdisc) Kind() string { return q.Options.Kind() }

// Kinds are the qdisc's own kind and that of the queue of its class.
func (q Qdisc) Kinds() []string {
	kinds := []string{q.Kind()}
	if o, ok := q.Options.(interface{ leaf() *Qdisc }); ok && o.leaf() != nil {
		kinds = append(kinds, o.leaf().Kinds()...)
	}
	return kinds
}

// QdiscOptions are the options of one kind of qdisc.
type QdiscOptions interface {
	// Kind is the name files use.
	Kind() string
	// Check says what is wrong with the options, by the name of the key; its
	// error is a *KeyError.
	Check() error
	// fields is the kind's part of a qdisc's mapping in a file.
	fields() []field
}

// Filter is one netfilter rule.
type Filter struct {
	// Netns is where; "" the sandbox's own.
	Netns string
	// Hook is prerouting, input, forward, output or postrouting.
	Hook string
	// Link restricts the rule to packets leaving by it (entering by it at
	// prerouting and input); "" for all.
	Link string
	// Action is "drop" or "nfqueue".
	Action string
	// Queue is the NFQUEUE number, 0 to 65535.
	Queue int
	// Listener reads the queue; nil for none. Two filters on one queue share
	// the listener of the first.
	Listener *Listener
}

// Listener is a program bound to an NFQUEUE.
type Listener struct {
	// Verdict is given to each packet: "accept" (also ""), "drop", or "none".
	Verdict string
	// Keep lists packets, counted from 1, whose verdict is withheld.
	Keep []int
	// MaxLen is the queue's length in packets; 0 leaves the kernel's 1024.
	MaxLen int
}

// Reader is a program that reads a TUN, TAP or macvtap.
type Reader struct {
	// Mode is how; "" is ReaderNone.
	Mode ReaderMode
	// PPS is the speed of a slow reader in packets per second.
	PPS float64
	// After is the number of packets after which a "stop" reader stops.
	After int
}

// ReaderMode is how a Reader reads.
type ReaderMode string

// The ways to read.
const (
	ReaderNone  ReaderMode = "none"
	ReaderDrain ReaderMode = "drain"
	ReaderSlow  ReaderMode = "slow"
	ReaderStop  ReaderMode = "stop"
)

// Traffic is what is sent.
type Traffic struct {
	// Socket is hdrincl, raw, udp, packet or packet-dgram.
	Socket string
	// Packet is the name of a packet.
	Packet string
	// Size is the length of the IP packet in bytes, 0 to 65535, header
	// included; nil leaves the packet's own. One shorter than the packet's
	// headers is cut, where the socket lets it.
	Size *int
	// Payload replaces what follows the headers of packet and is given in
	// files as hex, or as the name of a file.
	Payload []byte
	// To overrides the destination address.
	To string
	// Via names the links to send through, in turn.
	Via []string
	// PerLink opens a socket for each link (BIRD); else one serves all (Quagga).
	PerLink bool
	// Interface is how the link is chosen: multicast-if or pktinfo.
	Interface string
	// Style is poll-first (ospfd) or send-first (BIRD).
	Style string
	// SndBuf is what SO_SNDBUF is asked for in bytes; 0 leaves the default.
	SndBuf int
	// Rate is packets per second; 0 is as fast as can be.
	Rate float64
	// Burst is how many packets are sent back to back at each tick; 0 and 1 are
	// constant pacing.
	Burst int
	// Count bounds the packets; 0 where Duration does.
	Count int
	// Duration bounds the time; 0 where Count does.
	Duration time.Duration
}

// Sockets, packets' interfaces and styles that Traffic knows.
const (
	SocketHdrIncl     = "hdrincl"
	SocketRaw         = "raw"
	SocketUDP         = "udp"
	SocketPacket      = "packet"
	SocketPacketDgram = "packet-dgram"

	InterfaceMulticastIf = "multicast-if"
	InterfacePktInfo     = "pktinfo"

	StylePollFirst = "poll-first"
	StyleSendFirst = "send-first"
)

// Bounds of Traffic.
const (
	// DefaultCount is past every ring and queue on the way plus the stall
	// threshold: a TUN ring alone swallows 500.
	DefaultCount = 3000
	MaxCount     = 100_000_000
	MaxRate      = 10_000_000
	// MinRate is one packet in a hundred seconds.
	MinRate = 0.01
	MaxSize = 65535
)

// Packets lists the names Traffic.Packet may have.
func Packets() []string {
	return []string{
		"ospf-hello", "vrrp", "pim-hello", "igmp-report", "eigrp-hello",
		"rip", "mdns", "icmp-echo", "icmp-echo-multicast", "experimental",
	}
}

// Sockets lists the kinds of sending socket.
func Sockets() []string {
	return []string{SocketHdrIncl, SocketRaw, SocketUDP, SocketPacket, SocketPacketDgram}
}

// Family is the part of the name before the slash.
func (s Scenario) Family() string {
	family, _, _ := strings.Cut(s.Name, "/")
	return family
}
