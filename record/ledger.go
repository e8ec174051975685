// SPDX-License-Identifier: GPL-2.0-only

package record

// Ledger says where the sender's skbs were, by the kernel's tracepoints.
// Places are named as Result.Holder is. Without BPF, bytes are counted with
// Trace.Truesize.
type Ledger struct {
	// By is what it was kept with: "perf tracepoints", or "perf tracepoints and
	// BPF", where each skb's charge was read rather than computed.
	By string `json:"by"`
	// Seen is how many of the sender's skbs reached a device.
	Seen int `json:"seen"`
	// Samples is how many events were read, those of others included. Lost is
	// how many the kernel dropped, Late how many came too late to be put in order.
	Samples uint64 `json:"samples"`
	Lost    uint64 `json:"lost"`
	Late    int    `json:"late,omitempty"`
	// Unseen is how many skbs went where no tracepoint tells: their address came again.
	Unseen int `json:"unseen,omitempty"`

	// Places are where skbs were when the ladder began, the fullest first.
	Places []LedgerPlace `json:"places,omitempty"`
	// Charge is sk_wmem_alloc then, and Sum what the skbs in charging places cost.
	Charge int64 `json:"charge"`
	Sum    int64 `json:"sum"`
	// Gap is Charge less Sum.
	Gap int64 `json:"gap"`
	// Incomplete says why Places must not be relied on; "" where they may be.
	Incomplete string `json:"incomplete,omitempty"`

	// After are where skbs were after the last rung, with the sockets still open, and
	// AfterCharge is sk_wmem_alloc then.
	After       []LedgerPlace `json:"after,omitempty"`
	AfterCharge int64         `json:"after_charge,omitempty"`

	// Left is how many skbs were alive after the last rung and the end of the
	// sockets and links; nil where that is not known.
	Left *int `json:"left,omitempty"`
	// LeftAt are the places where they were.
	LeftAt []LedgerPlace `json:"left_at,omitempty"`
	// Life is that of one packet: one that was held, or else the first.
	Life []LedgerStep `json:"life,omitempty"`
}

// LedgerPlace is a place with skbs in it.
type LedgerPlace struct {
	// Place is named as a holder is: "qdisc tbf on v0".
	Place string `json:"place"`
	Count int    `json:"count"`
	// Charged: what is there is charged to the socket. A TUN's ring is not.
	Charged bool `json:"charged"`
	// Bytes is what they are charged with.
	Bytes int64 `json:"bytes,omitempty"`
	// By says how it is known, where that is not by each skb's address.
	By string `json:"by,omitempty"`
}

// LedgerStep is a moment of a packet's life.
type LedgerStep struct {
	// AtNs is nanoseconds since the sandbox began.
	AtNs int64 `json:"at_ns"`
	// What happened: "queued", "to driver", "freed".
	What  string `json:"what"`
	Place string `json:"place,omitempty"`
	// Location and Reason are those of a free.
	Location string `json:"location,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Truesize is the skb's in bytes, where it is charged, cloned or let go of.
	Truesize uint32 `json:"truesize,omitempty"`
}
