// SPDX-License-Identifier: GPL-2.0-only

// Package procsock finds the sockets of running processes that queue packets
// (raw, UDP and packet sockets, in every network namespace) and reads what each is
// charged with, without disturbing their owner.
//
// A socket is listed by the files under /proc/net and matched with a process by
// its inode. The exact figures come from the socket itself: pidfd_getfd (5.6)
// gives a duplicate of the descriptor, SO_MEMINFO is asked of that, and it is
// closed at once, since held it would keep a socket alive that its owner has
// closed. Where that is refused or missing, the charge is that of the file, and
// the send buffer is not known.
//
//	skleak watch --once --comm ospfd
package procsock

import "time"

// Kinds of sockets, by the name of the file under /proc/net that lists them.
const (
	Raw    = "raw"
	Raw6   = "raw6"
	UDP    = "udp"
	UDP6   = "udp6"
	Packet = "packet"
)

// Unknown is a charge that cannot be told.
const Unknown = -1

// ByMemInfo is Socket.By of an exact reading.
const ByMemInfo = "SO_MEMINFO"

// Owner is a descriptor of a socket.
type Owner struct {
	PID  int    `json:"pid"`
	FD   int    `json:"fd"`
	Comm string `json:"comm"`
}

// Socket is one socket and what it is charged with, in bytes.
type Socket struct {
	Kind string
	// Protocol is the IP protocol of a raw socket, the EtherType of a packet
	// socket; Port the port of a UDP one.
	Protocol int
	Port     int
	// Local is the address it is bound to, "" for any.
	Local string
	Inode uint64
	// Cookie is SO_COOKIE, 0 where it is not known.
	Cookie uint64
	// Netns is the inode of its namespace, NetnsName its name under /run/netns.
	Netns     uint64
	NetnsName string
	UID       uint32
	// Owners are empty where the descriptors may not be seen, else sorted.
	Owners []Owner
	// Charge is sk_wmem_alloc, or Unknown. SndBuf is sk_sndbuf, 0 where it is not
	// known.
	Charge int64
	SndBuf int64
	// Unread waits to be read; Drops were not received for lack of room.
	Unread int64
	Drops  uint64
	// By is what told the charge: ByMemInfo, or a file. Why says why the file.
	By  string
	Why string
}

// Exact says that the figures are the socket's own.
func (s Socket) Exact() bool { return s.By == ByMemInfo }

// Process is the owner of sockets.
type Process struct {
	PID  int
	Comm string
	// RSS is its resident memory in bytes, 0 where it is not known.
	RSS int64
}

// Scan is one look.
type Scan struct {
	At        time.Time
	Sockets   []Socket
	Processes []Process
	// Ended are processes that were watched and are no more.
	Ended []Process
	// Notes say what could not be seen, and why.
	Notes []string
}

// Select says whose sockets are looked for: of the processes PIDs, or of those
// called Comm, or, with neither, of all.
type Select struct {
	PIDs []int
	Comm string
}

// All says that nothing is chosen.
func (s Select) All() bool { return len(s.PIDs) == 0 && s.Comm == "" }
