// SPDX-License-Identifier: GPL-2.0-only

package probes

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// Kind says what happened to an skb.
type Kind uint32

// The kinds, as probes.bpf.c numbers them.
const (
	// Charge: sock_alloc_send_pskb made it, charged to a sender.
	Charge Kind = iota + 1
	// Own: skb_set_owner_w charged it, as when a packet is cut in fragments.
	Own
	// Uncharge: sock_wfree took its charge back, because it was freed or orphaned.
	Uncharge
	// Clone: skb_clone made it of Parent. It is not charged.
	Clone
	// Neighbour: __neigh_event_send queues it to a neighbour that does not answer.
	Neighbour
	// NFQueue: nf_queue gives it to a listener.
	NFQueue
	// XFRM: xdst_queue_output holds it until there is an IPsec state.
	XFRM
	// Reading: the answer to Feed.Ask.
	Reading
)

// Event is one thing that happened to an skb of a sender's.
type Event struct {
	Kind Kind
	// At is nanoseconds of CLOCK_MONOTONIC.
	At int64
	// Skb is its address, Parent that of what it is a clone of.
	Skb, Parent uint64
	// Truesize is what it is charged with, Len its length now, in bytes.
	Truesize, Len uint32
	// PID is the process and TID the thread that ran, in the first PID namespace.
	PID, TID int32
	CPU      uint32
	// Dev, Ifindex and Addr are the neighbour's.
	Dev     string
	Ifindex int32
	Addr    netip.Addr
	// Queue is the NFQUEUE's number.
	Queue uint16
}

// ringSize is the memory of one feed in bytes. An event takes 96 of them.
const ringSize = 1 << 20

// Feed gives the events of the sockets it owns. It is for one goroutine at a time.
type Feed struct {
	senders, losses, ring *ebpf.Map
	reading               *ebpf.Program
	reader                *ringbuf.Reader
	record                ringbuf.Record
	cookies               []uint64
}

// Open makes a feed of the programs that another process, or this one, keeps
// attached. It needs CAP_SYS_ADMIN.
func Open(d IDs) (f *Feed, err error) {
	f = &Feed{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
			f = nil
		}
	}()
	if f.senders, err = ebpf.NewMapFromID(ebpf.MapID(d.Senders)); err != nil {
		return f, explain("open the BPF map of senders", err)
	}
	if f.losses, err = ebpf.NewMapFromID(ebpf.MapID(d.Losses)); err != nil {
		return f, explain("open the BPF map of losses", err)
	}
	if f.reading, err = ebpf.NewProgramFromID(ebpf.ProgramID(d.Reading)); err != nil {
		return f, explain("open the BPF program that reads", err)
	}
	if f.ring, err = ebpf.NewMap(&ebpf.MapSpec{Name: "ring", Type: ebpf.RingBuf, MaxEntries: ringSize}); err != nil {
		return f, explain("make a BPF ring", err)
	}
	if f.reader, err = ringbuf.NewReader(f.ring); err != nil {
		return f, fmt.Errorf("read a BPF ring: %w", err)
	}
	return f, nil
}

// Own lets the events of a socket come here, named by its SO_COOKIE. The
// kernel waits until no program looks at the map's old state.
func (f *Feed) Own(cookie uint64) error {
	if err := f.losses.Put(cookie, uint64(0)); err != nil {
		return fmt.Errorf("count the lost events of socket %d: %w", cookie, err)
	}
	if err := f.senders.Put(cookie, f.ring); err != nil {
		return fmt.Errorf("follow socket %d: %w", cookie, err)
	}
	f.cookies = append(f.cookies, cookie)
	return nil
}

// Ask reads the skb at an address: if a sender of this feed is charged with it,
// a Reading comes.
func (f *Feed) Ask(skb uint64) error {
	if _, err := f.reading.Run(&ebpf.RunOptions{Context: skb}); err != nil {
		return fmt.Errorf("read the skb at 0x%x: %w", skb, err)
	}
	return nil
}

// Drain hands out all events that are there, without waiting for more.
func (f *Feed) Drain(take func(Event)) error {
	f.reader.SetDeadline(time.Now())
	for {
		err := f.reader.ReadInto(&f.record)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a BPF ring: %w", err)
		}
		e, err := parse(f.record.RawSample)
		if err != nil {
			return err
		}
		take(e)
	}
}

// Lost is how many events did not fit into the ring.
func (f *Feed) Lost() (uint64, error) {
	var sum uint64
	for _, cookie := range f.cookies {
		var n uint64
		if err := f.losses.Lookup(cookie, &n); err != nil {
			return sum, fmt.Errorf("read the lost events of socket %d: %w", cookie, err)
		}
		sum += n
	}
	return sum, nil
}

// Close ends the feed; the programs stay.
func (f *Feed) Close() error {
	var errs []error
	for _, cookie := range f.cookies {
		errs = append(errs, gone(f.senders.Delete(cookie)), gone(f.losses.Delete(cookie)))
	}
	if f.reader != nil {
		errs = append(errs, f.reader.Close())
	}
	for _, m := range []*ebpf.Map{f.ring, f.losses, f.senders} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	if f.reading != nil {
		errs = append(errs, f.reading.Close())
	}
	*f = Feed{}
	return errors.Join(errs...)
}

// gone takes it that what is to be deleted may not be there.
func gone(err error) error {
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil
	}
	return err
}

// familyIPv4 is AF_INET.
const familyIPv4 = 2

// parse reads a record of the ring.
func parse(raw []byte) (Event, error) {
	if len(raw) < int(unsafe.Sizeof(bpfEvent{})) {
		return Event{}, fmt.Errorf("read a BPF event: %d bytes", len(raw))
	}
	b := *(*bpfEvent)(unsafe.Pointer(unsafe.SliceData(raw)))
	e := Event{
		Kind: Kind(b.Kind), At: int64(b.At), Skb: b.Skb, Parent: b.Parent, Truesize: b.Truesize, Len: b.Len,
		PID: int32(b.Pid), TID: int32(b.Tid), CPU: b.Cpu, Ifindex: int32(b.Ifindex), Queue: b.Queue,
	}
	if e.Kind < Charge || e.Kind > Reading {
		return Event{}, fmt.Errorf("read a BPF event: kind %d", b.Kind)
	}
	if e.Kind == Neighbour {
		e.Dev = text(b.Dev)
		e.Addr = netip.AddrFrom16(b.Addr)
		if b.Family == familyIPv4 {
			e.Addr = netip.AddrFrom4([4]byte(b.Addr[:4]))
		}
	}
	return e, nil
}

func text(c [16]int8) string {
	b := make([]byte, 0, len(c))
	for _, one := range c {
		if one == 0 {
			break
		}
		b = append(b, byte(one))
	}
	return string(b)
}
