// SPDX-License-Identifier: GPL-2.0-only

package snapshot

// Facts are what one network namespace has that matters to a packet on its way
// out. Indexes are the kernel's ifindexes. They are plain data: whatever they
// say, Make turns them into scenarios that can be read back.
type Facts struct {
	// Kernel is the release of the kernel they were read from.
	Kernel     string
	Links      []Link
	Qdiscs     []Qdisc
	Classes    []Class
	Neighbours []Neighbour
	// Routes are those of the main table that were not made by the kernel.
	Routes []Route
	Rules  []Rule
	// Queues are the NFQUEUEs somebody listens to.
	Queues []Queue
	// Unread are things that could not be read, and why, a line each.
	Unread []string
}

// Link is one interface.
type Link struct {
	Index int
	Name  string
	// Kind is the kernel's name of it, "" for a device.
	Kind string
	// Driver is that of a device; "" where it was not told.
	Driver string
	// Ethernet, Loopback, Up and Carrier are as `ip link` shows them.
	Ethernet, Loopback, Up, Carrier bool
	// MTU in bytes, TxQueueLen in packets.
	MTU, TxQueueLen int
	MAC             string
	// Master is the link it is a port of, Lower the one it is built upon or, of a
	// veth, the other end; 0 for none.
	Master, Lower int
	// Elsewhere: Lower is a link of another namespace.
	Elsewhere bool
	// Addresses are in CIDR form.
	Addresses []string
	// ID is a VLAN's, VXLAN's, GENEVE's or xfrm's number, or a vrf's table.
	ID int
	// Mode is the kernel's name of a macvlan's, ipvlan's or bond's mode.
	Mode string
	// Local and Remote are a tunnel's ends; Remote of a wireguard has a port.
	Local, Remote string
	// Port is a VXLAN's UDP port.
	Port int
	// Queues is how many descriptors a TUN or TAP has open, Backpressure whether it
	// was opened with IFF_BACKPRESSURE; false where that cannot be seen.
	Queues       int
	Backpressure bool
	// TxPackets and TxDropped are the driver's counters. A TUN counts a packet as
	// sent when it is read (tun_put_user, drivers/net/tun.c).
	TxPackets, TxDropped uint64
	// Unsaid are settings of its kind that no scenario has, as `ip -d link` calls
	// them.
	Unsaid []string
}

// Qdisc is one queueing discipline, as tc(8) shows it.
type Qdisc struct {
	Link           int
	Kind           string
	Handle, Parent uint32
	// Options is TCA_OPTIONS as the kernel gives it.
	Options []byte
	// Packets came out of it, Backlog bytes and QLen packets wait.
	Packets, Backlog, QLen uint32
}

// Class is a class of an htb.
type Class struct {
	Link           int
	Kind           string
	Handle, Parent uint32
	// Rate and Ceil are in bytes a second.
	Rate, Ceil uint64
	// Buffer is in the kernel's ticks of 64 ns.
	Buffer uint32
	// Leaf is the handle of its own qdisc.
	Leaf uint32
}

// Neighbour is an entry of the neighbour table.
type Neighbour struct {
	Link            int
	Address, LLAddr string
	// State is as `ip neigh` shows it: "STALE".
	State string
}

// Route is a unicast route.
type Route struct {
	// To is a network in CIDR form.
	To, Via string
	Link    int
	Metric  int
}

// Rule is a netfilter rule that may drop, queue or refuse packets.
type Rule struct {
	// Where names it: "table inet filter, chain output".
	Where string
	// Hook is one a scenario's filter has, or another of the kernel's.
	Hook string
	// Link is the only one it is about, by name; "" for all.
	Link string
	// Action is drop, nfqueue or reject.
	Action string
	Queue  int
	// Unless says what it takes more for a packet to be met: "only packets that its
	// payload matches"; "" where all are.
	Unless string
}

// Queue is an NFQUEUE with a listener.
type Queue struct{ Number, Waiting int }
