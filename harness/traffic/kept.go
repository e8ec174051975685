// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"skleak/record"
	"skleak/scenarios"
)

// keptPackets is how many packets are kept of the beginning, of each side of
// the threshold of poll, and of the end.
const keptPackets = 8

// snapLen bounds what is kept of one packet's bytes.
const snapLen = 256

// kept are the packets of one socket that a reader wants to see: the first, those
// around the threshold of poll, the last. It allocates nothing while packets go.
type kept struct {
	list []record.SentPacket
	// recent are the newest that are not in list, oldest first.
	recent []record.SentPacket
	// after is how many more are wanted behind the threshold.
	after int
}

func newKept() kept {
	return kept{
		list:   make([]record.SentPacket, 0, 4*keptPackets),
		recent: make([]record.SentPacket, 0, keptPackets),
	}
}

// note takes the newest packet sent, with the charge after it.
func (k *kept) note(p record.SentPacket) {
	switch {
	case len(k.list) < keptPackets:
		k.list = append(k.list, p)
	case k.after > 0:
		k.after--
		k.list = append(k.list, p)
	default:
		if len(k.recent) == keptPackets {
			k.recent = k.recent[:copy(k.recent, k.recent[1:])]
		}
		k.recent = append(k.recent, p)
	}
}

// threshold keeps what was sent just before poll first said not writable, and
// what will be sent behind it.
func (k *kept) threshold() {
	k.list = append(k.list, k.recent...)
	k.recent, k.after = k.recent[:0], keptPackets
}

// all are the packets kept, in the order sent.
func (k *kept) all() []record.SentPacket { return append(k.list, k.recent...) }

// keepSent notes the packet sent last, where one was sent since the note before.
func (s *Sender) keepSent(atNs int64, charged int) {
	n := len(s.names)
	if s.state.sent == s.state.noted || n == 0 {
		return
	}
	s.state.noted = s.state.sent
	s.state.kept.note(record.SentPacket{
		Number: s.state.sent, AtNs: atNs, Bytes: int64(charged), Link: s.names[(s.turn+n-1)%n],
	})
}

// formOf is a packet as it goes through a link, from the IP header on, or from the
// Ethernet header where the socket brings that.
func formOf(cfg Config, t Target, p Packet, data []byte) record.SentForm {
	f := record.SentForm{Link: t.Link, Length: len(p.IP()), Data: p.IP()}
	if cfg.Socket == scenarios.SocketPacket && t.ethernet() {
		f.Ethernet, f.Length, f.Data = true, len(data), data
	}
	f.Data = f.Data[:min(len(f.Data), snapLen)]
	return f
}
