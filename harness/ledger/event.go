// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"net/netip"
)

// Kind is the tracepoint an Event is of.
type Kind uint8

// The tracepoints.
const (
	// Queue: net:net_dev_queue, an skb is given to a device (__dev_queue_xmit).
	Queue Kind = iota + 1
	// Start: net:net_dev_start_xmit, it is given to the driver (xmit_one).
	Start
	// Xmit: net:net_dev_xmit, the driver came back; RC says what it did.
	Xmit
	// Drop: skb:kfree_skb.
	Drop
	// Consume: skb:consume_skb.
	Consume
	// Enqueue: qdisc:qdisc_enqueue, a root qdisc took it.
	Enqueue
	// Dequeue: qdisc:qdisc_dequeue.
	Dequeue
	// Neighbour: neigh:neigh_event_send_done; RC 1 says that an skb was queued
	// to a neighbour that does not answer (__neigh_event_send).
	Neighbour
	// Receive: net:netif_receive_skb, the stack takes an skb from a device. One that
	// crosses a veth keeps its address (__netif_receive_skb_core, net/core/dev.c).
	Receive
	// Switch: sched:sched_switch, which is counted and never sampled.
	Switch

	// What follows comes from BPF programs and has the skb's address and truesize.

	// Charge: one of our sockets made an skb and is charged with it.
	Charge
	// Own: one of our sockets is charged with an skb that was there before.
	Own
	// Uncharge: the charge was taken back.
	Uncharge
	// Clone: it was made of Parent and is not charged.
	Clone
	// Unresolved: it waits for a neighbour that does not answer.
	Unresolved
	// Listener: it was given to an NFQUEUE.
	Listener
	// Policy: it waits for an IPsec state.
	Policy
)

// String is the tracepoint's name.
func (k Kind) String() string {
	for _, w := range tracepoints() {
		if w.kind == k {
			return w.name
		}
	}
	return "none"
}

// Event is one sample.
type Event struct {
	Kind Kind
	// At is nanoseconds of CLOCK_MONOTONIC.
	At int64
	// PID is the process and TID the thread that ran when it happened.
	PID, TID int32
	CPU      uint32
	// Interrupt: it happened in an interrupt on top of that thread.
	Interrupt bool

	// Skb is the skb's address; 0 where the tracepoint has none.
	Skb uint64
	Len uint32
	// Dev is the device's name, in whatever namespace it is.
	Dev string
	// RC is the driver's return code, or whether the neighbour queued.
	RC int32
	// Ifindex is that of the qdisc's device.
	Ifindex int32
	// Addr is the neighbour's.
	Addr netip.Addr
	// Truesize is what the skb is charged with, in bytes.
	Truesize uint32
	// Parent is what a clone was made of.
	Parent uint64
	// Queue is the NFQUEUE's number.
	Queue uint16

	// Location is the code that freed the skb; 0 where this kernel does not say.
	Location uint64
	// Reason is skb_drop_reason, 0 where this kernel has none.
	Reason uint32
	// Protocol is the skb's Ethernet type.
	Protocol uint16
	// Chain are the return addresses in the kernel, innermost first.
	Chain []uint64
}

// Flags of trace_entry (include/linux/trace_events.h).
const (
	flagHardIRQ = 0x08
	flagSoftIRQ = 0x10
)

// decoder turns raw records into events.
type decoder struct {
	kinds map[uint16]layout
	// devices keeps one string per device name.
	devices map[string]string
}

// layout is where a kernel puts the fields of one tracepoint; a Field of size
// 0 is not there.
type layout struct {
	kind                        Kind
	flags, skb, length, dev, rc Field
	ifindex, family, key4, key6 Field
	location, reason, protocol  Field
}

func newDecoder(formats map[Kind]Format) *decoder {
	d := &decoder{kinds: map[uint16]layout{}, devices: map[string]string{}}
	for kind, f := range formats {
		at := func(name string) Field {
			field, _ := f.field(name)
			return field
		}
		l := layout{
			kind: kind, flags: at("common_flags"), skb: at("skbaddr"), length: at("len"), dev: at("name"), rc: at("rc"),
			ifindex: at("ifindex"), location: at("location"), reason: at("reason"), protocol: at("protocol"),
		}
		if kind == Neighbour {
			l.dev, l.rc, l.family, l.key4, l.key6 = at("dev"), at("err"), at("family"), at("primary_key4"), at("primary_key6")
		}
		d.kinds[f.ID] = l
	}
	return d
}

// decode fills e from the raw part of a sample. It is false for a record that
// is none of ours, or too short for its format.
func (d *decoder) decode(raw []byte, e *Event) bool {
	if len(raw) < 8 {
		return false
	}
	l, ok := d.kinds[binary.NativeEndian.Uint16(raw)]
	if !ok {
		return false
	}
	flags := number(raw, l.flags)
	e.Kind, e.Interrupt = l.kind, flags&(flagHardIRQ|flagSoftIRQ) != 0
	e.Skb, e.Len, e.RC = number(raw, l.skb), uint32(number(raw, l.length)), int32(number(raw, l.rc))
	e.Ifindex = int32(number(raw, l.ifindex))
	e.Location, e.Reason, e.Protocol = number(raw, l.location), uint32(number(raw, l.reason)), uint16(number(raw, l.protocol))
	if l.dev.DataLoc {
		e.Dev = d.text(raw, l.dev)
	}
	if l.kind == Neighbour {
		e.Addr = neighbourAddr(raw, l)
	}
	return l.skb.Size == 0 || e.Skb != 0
}

// number reads an unsigned number; 0 where the record has none.
func number(raw []byte, f Field) uint64 {
	if f.Offset+f.Size > len(raw) {
		return 0
	}
	b := raw[f.Offset:]
	switch f.Size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	default:
		return 0
	}
}

// text reads a __data_loc string: offset in the low half, length in the high.
func (d *decoder) text(raw []byte, f Field) string {
	loc := number(raw, f)
	offset, length := int(loc&0xffff), int(loc>>16&0xffff)
	if offset+length > len(raw) {
		return ""
	}
	b := raw[offset : offset+length]
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	if s, ok := d.devices[string(b)]; ok {
		return s
	}
	s := string(b)
	d.devices[s] = s
	return s
}

const familyIPv6 = 10

func neighbourAddr(raw []byte, l layout) netip.Addr {
	key := l.key4
	if number(raw, l.family) == familyIPv6 {
		key = l.key6
	}
	if key.Size == 0 || key.Offset+key.Size > len(raw) {
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(raw[key.Offset : key.Offset+key.Size])
	return a
}
