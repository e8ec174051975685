// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"golang.org/x/sys/unix"

	"skleak/record"
)

// Reason says why a run stopped.
type Reason string

// The reasons.
const (
	// ByCount: every packet was tried.
	ByCount Reason = "count"
	// ByDuration: the time was up.
	ByDuration Reason = "duration"
	// ByStall: no socket was left that was not full for Plan.BlockLimit.
	ByStall Reason = "stalled"
	// ByCancel: the context ended.
	ByCancel Reason = "cancelled"
	// ByError: the sender itself failed.
	ByError Reason = "error"
)

// Stats is what a run did. Times are monotonic nanoseconds since Plan.Epoch.
type Stats struct {
	// Sent counts packets the kernel took.
	Sent int
	// Refused counts sends that a link or its queue refused, by errno name. One
	// that would block is Blocked.
	Refused map[string]int
	// Reported counts ICMP errors about earlier packets, by errno name: another
	// host, or a neighbour that does not answer, speaks in them, and the send that
	// met one was made again.
	Reported map[string]int
	// OwnFull counts ENOBUFS of a send buffer filled twice over, which is how a raw
	// socket without IP_HDRINCL says that it is full (__ip_append_data,
	// net/ipv4/ip_output.c). They are not among Refused.
	OwnFull int
	// Blocked counts the times a socket was found full or not writable.
	Blocked int
	// StartNs is what the deadlines of a paced run count from.
	StartNs int64
	// FirstSendNs and LastSendNs are when the first and the last packet had been
	// taken; 0 when none was.
	FirstSendNs, LastSendNs int64
	// Sockets are the figures of each socket, in the order of Stream.Senders.
	Sockets []SocketStats
	Stopped Reason
}

// SocketStats is what a run did with one socket.
type SocketStats struct {
	Name    string
	Sent    int
	Blocked int
	// PacketsToStall is how many packets had been taken when poll first lacked
	// POLLOUT; -1 if it never did.
	PacketsToStall int
	// StalledOn is the link of the last packet taken then; "" if it never did.
	StalledOn string
	// Stalled is set when the socket stayed full for Plan.BlockLimit.
	Stalled bool
	// Links are the figures of each link, where the socket serves several.
	Links []LinkStats
	// Kept are some of the packets: the first, those around the threshold of poll,
	// the last. Forms are their bytes, one for each link.
	Kept  []record.SentPacket
	Forms []record.SentForm
}

// LinkStats is what a run did with one link of a socket that serves several.
type LinkStats struct {
	Link          string
	Sent, Refused int
	// Grew is by how many bytes the socket's charge grew, on balance, between a
	// packet through this link and the next packet.
	Grew int64
}

// Observer looks on. It is called between sends, so it has to be quick; a nil
// one is not called.
type Observer interface {
	// Sent is told of n more packets taken.
	Sent(n int)
	// Blocked is told that a socket was found full, before the wait for it.
	Blocked()
	// Charged is told what socket i of the stream was charged with between two
	// calls, in bytes, where the sender looked for its own ends.
	Charged(i int, bytes uint32)
	// Waiting is told now and then, each 20 ms at the latest, while the sender
	// waits for its time or for a socket.
	Waiting()
}

// nobody looks on where no Observer was given.
type nobody struct{}

// Sent implements Observer.
func (nobody) Sent(int) {}

// Blocked implements Observer.
func (nobody) Blocked() {}

// Charged implements Observer.
func (nobody) Charged(int, uint32) {}

// Waiting implements Observer.
func (nobody) Waiting() {}

// errnoName is "ENOBUFS", or the number's text where it has no name.
func errnoName(e unix.Errno) string {
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return e.Error()
}

// refusals counts errnos without allocating.
type refusals [256]int

func (r *refusals) add(e unix.Errno) { r[min(int(e), len(r)-1)]++ }

func (r *refusals) names() map[string]int {
	m := map[string]int{}
	for e, n := range r {
		if n > 0 {
			m[errnoName(unix.Errno(e))] += n
		}
	}
	return m
}
