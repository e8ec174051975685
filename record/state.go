// SPDX-License-Identifier: GPL-2.0-only

package record

// State is a picture of the sandbox: what it looks like and what it counts. A
// judge takes the difference of two.
type State struct {
	// When is "before" (the traffic; counters only), "held" (after settling),
	// "refilled" (where time had let go) or "end".
	When string `json:"when"`
	// Sent is how many packets the kernel had taken by then, over all sockets.
	Sent       int              `json:"sent,omitempty"`
	Links      []LinkState      `json:"links"`
	Qdiscs     []QdiscState     `json:"qdiscs"`
	IP         []IPState        `json:"ip,omitempty"`
	Queues     []QueueState     `json:"queues,omitempty"`
	Neighbours []NeighbourState `json:"neighbours"`
	// ProcNetRaw are the lines of /proc/net/raw.
	ProcNetRaw []string `json:"proc_net_raw"`
	KernelLog  []string `json:"kernel_log,omitempty"`
}

// LinkState is one link, as `ip -d -s link` would show it.
type LinkState struct {
	Netns     string   `json:"netns,omitempty"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Index     int      `json:"index"`
	MTU       int      `json:"mtu"`
	TxQLen    int      `json:"txqlen"`
	Flags     string   `json:"flags"`
	OperState string   `json:"operstate"`
	Carrier   bool     `json:"carrier"`
	Addresses []string `json:"addresses,omitempty"`
	// LLAddr is the hardware address; "" for none.
	LLAddr string `json:"lladdr,omitempty"`
	// Driver, Firmware and Bus are what the driver says of itself, as `ethtool -i`
	// shows it.
	Driver   string `json:"driver,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	Bus      string `json:"bus,omitempty"`
	// Via: the scenario sends through it.
	Via bool `json:"via,omitempty"`
	// Lower names the links of the same namespace that it is built upon: its
	// parent, its underlay, or its ports.
	Lower []string `json:"lower,omitempty"`
	// Peer is the other end of a veth, in the namespace PeerNetns.
	Peer      string `json:"peer,omitempty"`
	PeerNetns string `json:"peer_netns,omitempty"`
	TxPackets uint64 `json:"tx_packets"`
	TxDropped uint64 `json:"tx_dropped"`
	TxErrors  uint64 `json:"tx_errors"`
	RxPackets uint64 `json:"rx_packets"`
	RxDropped uint64 `json:"rx_dropped"`
}

// QdiscState is one qdisc, as `tc -s qdisc` would show it. Packets are those
// that came out of it; Backlog is bytes, QLen packets.
type QdiscState struct {
	Netns      string `json:"netns,omitempty"`
	Link       string `json:"link"`
	Kind       string `json:"kind"`
	Handle     string `json:"handle"`
	Parent     string `json:"parent"`
	Packets    uint32 `json:"packets"`
	Bytes      uint64 `json:"bytes,omitempty"`
	Drops      uint32 `json:"drops"`
	Overlimits uint32 `json:"overlimits,omitempty"`
	Requeues   uint32 `json:"requeues,omitempty"`
	Backlog    uint32 `json:"backlog"`
	QLen       uint32 `json:"qlen"`
}

// IPState is what a namespace's IPv4 counted: /proc/net/snmp by its own names,
// and OutMcastPkts and OutBcastPkts of /proc/net/netstat. What is 0 is left out,
// except OutTransmits, which older kernels do not have.
type IPState struct {
	Netns    string            `json:"netns,omitempty"`
	Counters map[string]uint64 `json:"counters"`
}

// QueueState is one NFQUEUE: the kernel's own figures
// (/proc/net/netfilter/nfnetlink_queue) and its listener's.
type QueueState struct {
	Netns  string `json:"netns,omitempty"`
	Number int    `json:"number"`
	// Hooks are those at which rules give it packets: "output". Links are those
	// that a rule is about; "" is every link.
	Hooks []string `json:"hooks"`
	Links []string `json:"links"`
	// Waiting have no verdict yet. QueueDropped found it full and have no number;
	// UserDropped have one, but the listener could not be told.
	Waiting      uint64 `json:"waiting"`
	QueueDropped uint64 `json:"queue_dropped"`
	UserDropped  uint64 `json:"user_dropped"`
	// Sequence is the number of the newest packet.
	Sequence uint64 `json:"sequence"`
	// Seen came to the listener, which withholds Withheld and had the others
	// Accepted or Dropped.
	Seen     int `json:"seen"`
	Withheld int `json:"withheld"`
	Accepted int `json:"accepted"`
	Dropped  int `json:"dropped"`
}

// NeighbourState is one neighbour entry, as `ip neigh` would show it.
type NeighbourState struct {
	Netns   string `json:"netns,omitempty"`
	Link    string `json:"link"`
	Address string `json:"address"`
	LLAddr  string `json:"lladdr,omitempty"`
	State   string `json:"state"`
}
