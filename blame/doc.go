// SPDX-License-Identifier: GPL-2.0-only

// Package blame says which link holds the bytes that a running daemon's sockets
// are charged with. It is arithmetic alone: what waits where, what the sockets are
// charged with, and what a ledger followed, were read by others.
//
// A link is never named because no other is left. Either every packet of a time was
// followed, or the packets that wait somewhere account for the charge to the byte;
// else the holder is not known.
//
//	skleak blame --pid $(pidof ospfd)
package blame

import (
	"time"

	"skleak/record"
	"skleak/snapshot"
)

// Schema names the form of a Finding as JSON.
const Schema = "skleak-blame/1"

// Reading is what was read. Bytes are of sk_wmem_alloc.
type Reading struct {
	PID     int
	Comm    string
	Sockets []Socket
	// Facts are of the sockets' namespace: at the beginning, and at the end, when the
	// sockets were charged with Charge; Steady says that it was the same just after.
	Before, Facts snapshot.Facts
	Charge        int64
	Steady        bool
	// For is how long the sockets were watched; ChargeBefore is what they were
	// charged with at the beginning, Least the least in the second half of it.
	For                 time.Duration
	ChargeBefore, Least int64
	// Ledger says where the packets sent meanwhile are; nil for none. Sent counts
	// them by link.
	Ledger *record.Ledger
	Sent   map[string]int
	// Truesize is what a packet costs here, measured; 0 where it was not. Rings are how
	// many packets a driver's own ring takes, by link, where it tells.
	Truesize int64
	Rings    map[string]int
	Notes    []string
}

// Socket is one socket of the daemon, in bytes.
type Socket struct {
	FD       int    `json:"fd"`
	Kind     string `json:"kind"`
	Protocol int    `json:"protocol,omitempty"`
	Charge   int64  `json:"charge"`
	SndBuf   int64  `json:"sndbuf"`
}

// Silent says that a program that waits for writable sends nothing through it
// (sock_writeable, include/net/sock.h).
func (s Socket) Silent() bool { return s.SndBuf > 0 && s.Charge+1 >= s.SndBuf/2 }

// Outcome is what came of it.
type Outcome string

// The outcomes.
const (
	// Healthy: nothing is kept; the charge was 0 at one moment at least.
	Healthy Outcome = "healthy"
	// Holds: the holder is named, with its numbers.
	Holds Outcome = "holds"
	// Unknown: something is kept, and nothing that can be read says by whom.
	Unknown Outcome = "not known"
)

// Finding is the answer.
type Finding struct {
	Schema  string   `json:"schema"`
	PID     int      `json:"pid"`
	Comm    string   `json:"comm"`
	Sockets []Socket `json:"sockets"`
	Charge  int64    `json:"charge"`
	Growth  int64    `json:"growth"`
	Seconds float64  `json:"seconds"`
	Silent  bool     `json:"silent"`
	Outcome Outcome  `json:"outcome"`
	// Holders are who holds, the most first; By is how that is known: ledger,
	// growth, count, bound or isolation.
	Holders []Holder `json:"holders"`
	By      string   `json:"by,omitempty"`
	// Reason is the arithmetic in words.
	Reason string `json:"reason"`
	// Waiting are all places where packets wait, the fullest first, whoever's they
	// are.
	Waiting []Holder `json:"waiting"`
	// Links is a line on each link that can send.
	Links []Line   `json:"links"`
	Next  []string `json:"next,omitempty"`
	// Trials are the windows of --isolate, the first with nothing dropped.
	Trials []Trial  `json:"trials,omitempty"`
	Cures  []Cure   `json:"cures,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// Holder is a place with packets in it.
type Holder struct {
	// Name is as `skleak run` names holders: "qdisc tbf on w0". Link is "" where it is
	// no link's.
	Name string `json:"name"`
	Link string `json:"link,omitempty"`
	Kind string `json:"-"`
	// Packets wait there; -1 where they cannot be counted.
	Packets int `json:"packets"`
	// Bytes is what they are charged with; 0 where that is not known.
	Bytes int64 `json:"bytes,omitempty"`
	// wire is their length together, 0 where it is not told.
	wire int64
}

// Line is what is known of one link.
type Line struct {
	Link string `json:"link"`
	Kind string `json:"kind"`
	// Sent is how many packets the daemon sent through it meanwhile; -1 where nobody
	// counted.
	Sent int `json:"sent"`
	// Holds, Acquitted, or neither: not known.
	Holds     bool   `json:"holds"`
	Acquitted bool   `json:"acquitted"`
	Why       string `json:"why"`
}

// Cure is something to do about it.
type Cure struct {
	About   string `json:"about"`
	Command string `json:"command,omitempty"`
}
