// SPDX-License-Identifier: GPL-2.0-only

// Package watch tells from looks at a socket, one after the other, whether what it
// is charged with grows, and when it will fall silent. It is arithmetic alone; the
// looks are procsock's.
//
// A raw, UDP or packet socket is writable while sk_wmem_alloc is below half of
// sk_sndbuf (sock_writeable in include/net/sock.h). The counter is one more than
// the charge. A program that waits for writable, as ospfd does, sends nothing from
// then on, on any interface.
//
//	skleak watch --pid $(pidof ospfd)
package watch

import (
	"time"

	"skleak/procsock"
)

// Schema names the form of a look as JSON.
const Schema = "skleak-watch/1"

// Look is what one look told of all sockets.
type Look struct {
	Schema    string    `json:"schema"`
	Time      time.Time `json:"time"`
	Sockets   []Socket  `json:"sockets"`
	Processes []Process `json:"processes"`
	// Ended are processes that were there at the look before.
	Ended []Process `json:"ended,omitempty"`
	Notes []string  `json:"notes,omitempty"`
}

// Socket is a socket with its course so far. Null is not known.
type Socket struct {
	// PID, FD and Comm are the first owner's, 0 and "" where none may be seen;
	// Owners are all.
	PID    int              `json:"pid"`
	FD     int              `json:"fd"`
	Comm   string           `json:"comm"`
	Owners []procsock.Owner `json:"owners"`
	// Netns is the inode of the namespace, NetnsName its name under /run/netns.
	Netns     uint64 `json:"netns"`
	NetnsName string `json:"netns_name,omitempty"`
	// Kind is raw, raw6, udp, udp6 or packet. Protocol is the IP protocol of a raw
	// socket, the EtherType of a packet socket.
	Kind     string `json:"kind"`
	Protocol int    `json:"protocol,omitempty"`
	Port     int    `json:"port,omitempty"`
	Local    string `json:"local,omitempty"`
	Inode    uint64 `json:"inode"`
	// Charge, SndBuf and Unread are bytes.
	Charge *int64 `json:"charge"`
	SndBuf *int64 `json:"sndbuf"`
	Unread int64  `json:"unread"`
	Drops  uint64 `json:"drops"`
	// Share is the part of the way to silence that the charge has gone: 1 is
	// silent.
	Share    *float64 `json:"share"`
	Writable *bool    `json:"writable"`
	// Held is what was charged for the whole of the last few seconds at least.
	Held *int64 `json:"held"`
	// Growth is null where nothing grows, or not yet known.
	Growth *Growth `json:"growth"`
	// LeftSeconds are until silence at this growth.
	LeftSeconds *float64 `json:"left_s"`
	// BlockedSince is the look at which it was first not writable; BlockedBefore
	// says that this was the first look of all.
	BlockedSince  *time.Time `json:"blocked_since"`
	BlockedBefore bool       `json:"blocked_before,omitempty"`
	// By is what told the charge: SO_MEMINFO, which is exact, or a file, which is
	// not. Why says why.
	By    string `json:"by"`
	Exact bool   `json:"exact"`
	Why   string `json:"why,omitempty"`
}

// Growth is how the charge rose over a time.
type Growth struct {
	BytesPerSecond float64 `json:"bytes_per_second"`
	// OverSeconds is how long it was seen to.
	OverSeconds float64 `json:"over_s"`
	// Step is the least rise between two looks in bytes: a packet's truesize, if
	// the looks are closer than the packets.
	Step int64 `json:"step"`
}

// Process is the memory of a process.
type Process struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// RSS is its resident memory in bytes; RSSPerSecond how that grows, null where
	// it does not or is not yet known.
	RSS          int64    `json:"rss"`
	RSSPerSecond *float64 `json:"rss_per_second"`
}

// Silent says whether the socket is known not to be writable.
func (s Socket) Silent() bool { return s.Writable != nil && !*s.Writable }

// Alarms are the sockets whose share is at least so much.
func (l Look) Alarms(share float64) []Socket {
	var out []Socket
	for _, s := range l.Sockets {
		if s.Share != nil && *s.Share >= share {
			out = append(out, s)
		}
	}
	return out
}
