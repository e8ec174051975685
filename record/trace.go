// SPDX-License-Identifier: GPL-2.0-only

package record

// TraceSchema is the version of Trace; a reader refuses any other.
const TraceSchema = "skleak-trace/1"

// Trace is everything one experiment measured, and all that a judge needs.
// Times are nanoseconds since the sandbox began; charges are bytes of
// sk_wmem_alloc as SO_MEMINFO reports them (SK_MEMINFO_WMEM_ALLOC,
// net/core/sock.c sk_get_meminfo).
type Trace struct {
	Schema   string `json:"schema"`
	Scenario string `json:"scenario"`
	Kernel   Kernel `json:"kernel"`

	// Planned is how many packets the scenario asked for; 0 where a duration bounds it.
	Planned int `json:"planned"`
	// Packet and Socket are the names of what was sent and through what.
	Packet string `json:"packet"`
	Socket string `json:"socket"`
	Rate   string `json:"rate"`

	// Sent counts packets the kernel took without an error, over all sockets.
	Sent int `json:"sent"`
	// Message is what its protocol calls the packet ("Hello"), EveryNs the interval
	// at which who sends it does by default; 0 where there is none.
	Message string `json:"message,omitempty"`
	EveryNs int64  `json:"every_ns,omitempty"`
	// Refused counts sends that a link or its queue refused, by errno name
	// ("ENOBUFS"). A send that would block is not refused; it is Blocked.
	Refused map[string]int `json:"refused"`
	// Reported counts ICMP errors about earlier packets by errno name. They say
	// nothing of the link.
	Reported map[string]int `json:"reported,omitempty"`
	// OwnFull counts ENOBUFS of a send buffer filled twice over, as a raw socket
	// without IP_HDRINCL gives it.
	OwnFull int `json:"own_full,omitempty"`
	// Blocked counts the times the sender found the socket full or not writable.
	Blocked int `json:"blocked"`
	// RestProbe is the errno name of one more send made after settling, when
	// sends had been refused and nothing was held; "" if it was taken or not made.
	RestProbe string `json:"rest_probe,omitempty"`
	// Asked is how many packets count, rate and duration allow; 0 where nothing but
	// a duration bounds them.
	Asked int `json:"asked,omitempty"`
	// FirstSendNs and LastSendNs bound the traffic.
	FirstSendNs int64 `json:"first_send_ns"`
	LastSendNs  int64 `json:"last_send_ns"`
	// Faults says what befell a link in mid-burst, and at which packet.
	Faults []string `json:"faults,omitempty"`

	// Truesize is the charge of one packet, measured on this kernel with a
	// queue that lets nothing out; 0 when it could not be measured.
	Truesize int64 `json:"truesize"`
	// TruesizeBy says how Truesize was measured, e.g. "tbf on lo".
	TruesizeBy string `json:"truesize_by,omitempty"`

	Sockets []SocketTrace `json:"sockets"`

	// Settle is the reading that gives held_bytes and writable.
	Settle Reading `json:"settle"`
	// SettleNs is the length of the settling window; shorter when the charge
	// reached zero before its end. WindowNs is what it would have been: what was
	// charged for longer counts as held.
	SettleNs int64 `json:"settle_ns"`
	WindowNs int64 `json:"window_ns,omitempty"`

	// Patience is what time alone did; nil when nothing was held.
	Patience *Patience `json:"patience,omitempty"`
	// Refill is set when time alone let go, so that the ladder had to be
	// climbed on a second filling.
	Refill *Refill `json:"refill,omitempty"`

	// Rungs are the ladder's steps in the order climbed.
	Rungs []RungTrace `json:"rungs"`
	// Rest is a second wait, after the ladder, where time alone had let go of the
	// first filling and something of the second outlived the ladder: what then
	// remains is lost.
	Rest *Patience `json:"rest,omitempty"`
	// Waiter is the story of the waiter parked in poll.
	Waiter Waiter `json:"waiter"`

	// SocketsBefore and SocketsAfter are "sockets: used" of /proc/net/sockstat
	// before the first socket was opened and after the last was closed; -1 when
	// unreadable.
	SocketsBefore int `json:"sockets_before"`
	SocketsAfter  int `json:"sockets_after"`

	// Orphans is the skb count before and after; nil where it cannot be measured.
	Orphans *SkbCount `json:"orphans,omitempty"`

	// Warnings are kernel log lines of refcount or skb trouble seen during the
	// experiment. On a busy host they may be another's.
	Warnings []string `json:"warnings,omitempty"`
	// Witness tells who freed what, per rung, where tracepoints could be used.
	Witness []Witness `json:"witness,omitempty"`
	// Ledger is where each skb was; nil where none was kept.
	Ledger *Ledger `json:"ledger,omitempty"`
	// State is what the sandbox looked like and counted, from before the traffic
	// to the end.
	State []State `json:"state,omitempty"`
	// Modules names kernel modules that building the scenario loaded.
	Modules []string `json:"modules,omitempty"`
	// LawCheck holds the paced runs of --verify-law.
	LawCheck *LawCheck `json:"law_check,omitempty"`
	// Quiet says the machine ran nothing else (a guest), so that host-wide
	// counts may be believed.
	Quiet bool `json:"quiet,omitempty"`
	// Facts are what else is known of the kernel; nil where nothing was looked up.
	Facts *Facts `json:"facts,omitempty"`

	// InPlace says that the links were there before and nothing was undone: what
	// would let go is not known.
	InPlace bool `json:"in_place,omitempty"`

	Seconds float64 `json:"seconds"`
}

// Reading is one look at all sockets of the sender, summed.
type Reading struct {
	AtNs int64 `json:"at_ns"`
	// Bytes is the sum of the charges, after taking off saturated counters.
	Bytes int64 `json:"bytes"`
	// Writable is false when any socket's fresh poll lacks POLLOUT.
	Writable bool `json:"writable"`
	// PerSocket are the raw charges, as unsigned as the kernel gives them.
	PerSocket []uint32 `json:"per_socket,omitempty"`
}

// SocketTrace is one sending socket.
type SocketTrace struct {
	// Name says what it is bound to: "all links" or a link's name.
	Name string `json:"name"`
	// SndBuf is sk_sndbuf in bytes, as the kernel uses it (twice what was asked).
	SndBuf int64 `json:"sndbuf"`
	// SndBufAsked is what SO_SNDBUF was asked for; 0 for the default.
	SndBufAsked int64 `json:"sndbuf_asked,omitempty"`
	// Peak is the highest charge seen, in bytes.
	Peak int64 `json:"peak"`
	Sent int   `json:"sent"`
	// PacketsToStall is how many packets had been taken when poll first lacked
	// POLLOUT; -1 if it never did.
	PacketsToStall int `json:"packets_to_stall"`
	// StalledOn is the link of the last packet taken then.
	StalledOn string `json:"stalled_on,omitempty"`
	// Links are the links of a socket that serves several.
	Links []LinkTrace `json:"links,omitempty"`
	// Course is what the readings show together, from the first packet on, while
	// nothing was touched.
	Course Course `json:"course"`
	// Saturated is set when a reading was that of a saturated refcount_t.
	Saturated bool `json:"saturated"`
	// Meters are the same charge read in other ways (SIOCOUTQ, /proc/net/raw)
	// at the end of settling; -1 where it is not available.
	Meters map[string]int64 `json:"meters,omitempty"`
	// Series is the charge over time, thinned to a bounded number of points
	// that keeps the extremes.
	Series []Point `json:"series,omitempty"`
	// After is the same from the end of sending to the end of patience.
	After []Point `json:"after,omitempty"`
	// Packets are some of what was sent: the first, those around the threshold of
	// poll, the last. Forms are their bytes.
	Packets []SentPacket `json:"packets,omitempty"`
	Forms   []SentForm   `json:"forms,omitempty"`
}

// LinkTrace is one link of a socket that serves several.
type LinkTrace struct {
	Link    string `json:"link"`
	Sent    int    `json:"sent"`
	Refused int    `json:"refused,omitempty"`
	// Grew is by how many bytes the charge grew, on balance, between a packet
	// through this link and the next packet.
	Grew int64 `json:"grew"`
}

// Course is what one socket's readings show together.
type Course struct {
	// HeldBytes is the most that had been charged for longer than Trace.WindowNs at
	// one time, HeldAtNs when that was. It is never too much.
	HeldBytes int64 `json:"held_bytes,omitempty"`
	HeldAtNs  int64 `json:"held_at_ns,omitempty"`
	// OldestNs is the longest that a packet was seen charged, at the least.
	OldestNs int64 `json:"oldest_ns,omitempty"`
	// SilentTimes is how often the socket was seen not writable, SilentNs the
	// longest of these times.
	SilentTimes int   `json:"silent_times,omitempty"`
	SilentNs    int64 `json:"silent_ns,omitempty"`
	// Silences are the first of them, Worst the one in which the greatest part of
	// the charge was old.
	Silences []Silence `json:"silences,omitempty"`
	Worst    Silence   `json:"worst"`
}

// Silence is a time during which poll would have said not writable.
type Silence struct {
	AtNs  int64 `json:"at_ns"`
	ForNs int64 `json:"for_ns"`
	// Packets is how many had been sent when it began.
	Packets int `json:"packets"`
	// Bytes is the charge at the moment in it when the greatest part was older than
	// Trace.WindowNs, and HeldBytes that part.
	Bytes     int64 `json:"bytes"`
	HeldBytes int64 `json:"held_bytes"`
}

// Point is a moment of a series: nanoseconds, bytes, and how many packets the
// socket had sent by then.
type Point struct {
	AtNs  int64 `json:"t"`
	Bytes int64 `json:"b"`
	Sent  int   `json:"n,omitempty"`
}

// Patience is what happened while nothing was touched.
type Patience struct {
	// ForNs is how long was waited.
	ForNs int64 `json:"for_ns"`
	// ReleasedNs is how long after the last send the charge was gone; -1 if it
	// was not gone at the end.
	ReleasedNs int64 `json:"released_ns"`
	// Before and After are the charges at its two ends.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	// Points trace the charge, to tell one release from a slow drain.
	Points []Point `json:"points,omitempty"`
}

// Refill is the second filling, made when patience saw everything go.
type Refill struct {
	Sent int   `json:"sent"`
	Held int64 `json:"held"`
}

// RungKind is a kind of step of the ladder.
type RungKind string

// The rungs, mildest first.
const (
	RungReader     RungKind = "reader drains"
	RungVerdict    RungKind = "verdicts given"
	RungListener   RungKind = "listener closed"
	RungFilter     RungKind = "filters flushed"
	RungQdisc      RungKind = "qdisc deleted"
	RungNeighbour  RungKind = "neighbour flushed"
	RungDown       RungKind = "link down"
	RungDelete     RungKind = "link deleted"
	RungLowerDown  RungKind = "lower link down"
	RungLowerGone  RungKind = "lower link deleted"
	RungProcessEnd RungKind = "process ended"
)

// RungTrace is one step of the ladder as it was climbed.
type RungTrace struct {
	Rung RungKind `json:"rung"`
	// On says what it acted on: "tbf on v0".
	On string `json:"on"`
	// Holder is the name to give if this rung lets go: "qdisc tbf on v0".
	Holder string `json:"holder"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	// Drift is how much the charge would have moved in the rung's time by itself,
	// from the rate seen just before it.
	Drift int64 `json:"drift"`
	// Ns is how long the rung took, its waiting included.
	Ns int64 `json:"ns"`
	// Backlog is the bytes in the qdisc, where the rung is one.
	Backlog int64 `json:"backlog,omitempty"`
	// Writable is a fresh poll after the rung.
	Writable bool `json:"writable"`
	// WaiterAsleep is set when a waiter parked before the rung still slept after it.
	WaiterAsleep bool `json:"waiter_asleep"`
	// Error tells why the rung could not be climbed; "" if it was.
	Error string `json:"error,omitempty"`
}

// Waiter is a thread that waited in poll(POLLOUT) from before the first release.
type Waiter struct {
	// Parked is how often it went to sleep on an unwritable socket.
	Parked int `json:"parked"`
	// Woken is how often it was woken.
	Woken int `json:"woken"`
	// Unclear is how often an error woke it when the socket was writable too, so
	// that it is not known whether it was woken for that.
	Unclear int `json:"unclear,omitempty"`
	// AsleepNs is the longest time it was seen asleep while a fresh poll said
	// writable and the charge stood still; 0 if never.
	AsleepNs int64 `json:"asleep_ns"`
	// AsleepBytes was the charge then.
	AsleepBytes int64 `json:"asleep_bytes"`
}

// SkbCount is a count of live skbs, by whatever could count them.
type SkbCount struct {
	By     string `json:"by"`
	Before int64  `json:"before"`
	// Settled is the count after traffic, with the links still there.
	Settled int64 `json:"settled"`
	// After is the count after the last rung and the closing of the sockets.
	After int64 `json:"after"`
	// Sent is how many packets were sent in between.
	Sent int `json:"sent"`
	// Again are more bursts through links built anew, made where After is higher
	// than Before: a cache fills once, what is lost is lost each time.
	Again []SkbBurst `json:"again,omitempty"`
}

// SkbBurst is one more burst of a SkbCount, and the count when its links were gone.
type SkbBurst struct {
	Sent  int   `json:"sent"`
	After int64 `json:"after"`
}

// Witness is a place in the kernel that freed our skbs during a rung.
type Witness struct {
	// Rung is a rung of the ladder, or the phase outside of it.
	Rung string `json:"rung"`
	// On is what the rung acted on.
	On string `json:"on,omitempty"`
	// Location is the function that freed; "" where the kernel does not say.
	Location string `json:"location"`
	// Reason is the skb_drop_reason, since 5.17.
	Reason string `json:"reason,omitempty"`
	Count  int    `json:"count"`
	// From is where the skbs were last seen.
	From string `json:"from,omitempty"`
	// Event is the tracepoint: kfree_skb for a drop, consume_skb.
	Event string `json:"event,omitempty"`
	// Chain are the functions that led there, innermost first.
	Chain []string `json:"chain,omitempty"`
}

// LawCheck is a law tried out: a paced run on each side of the predicted rate,
// or where the law knows no rate, one as fast as can be.
type LawCheck struct {
	// PredictedPPS is the rate from which the socket falls silent; 0 where the law
	// says that any does, or none.
	PredictedPPS float64 `json:"predicted_pps"`
	// Under must not silence the socket, Over must if the law says that anything
	// does; nil where it was not run.
	Under *LawRun `json:"under,omitempty"`
	Over  *LawRun `json:"over,omitempty"`
	// NeverSilent says that by the law no rate silences the socket.
	NeverSilent bool `json:"never_silent,omitempty"`
	// NotTried says why nothing was run; "" if it was.
	NotTried string `json:"not_tried,omitempty"`
}

// LawRun is one paced run of a LawCheck.
type LawRun struct {
	PPS     float64 `json:"pps"`
	Sent    int     `json:"sent"`
	Peak    int64   `json:"peak"`
	Stalled bool    `json:"stalled"`
	Seconds float64 `json:"seconds"`
}
