// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"skleak/record"
)

const (
	// endLook and endLooks bound how long is waited for the last skbs to come
	// free: some do only after a grace period, or from a work queue.
	endLook  = 20 * time.Millisecond
	endLooks = 50
)

// Holding is what the account is drawn up against.
type Holding struct {
	// Charge is sk_wmem_alloc of all senders, Truesize that of one packet, in bytes.
	Charge, Truesize int64
	// Queues are the NFQUEUEs of the sandbox.
	Queues []Backlog
	State  record.State
}

// Account fills in where everything is now and whether that explains the charge.
func (l *Ledger) Account(out *record.Ledger, h Holding) {
	book := l.sync()
	defer l.mu.Unlock()
	out.Places = Names{h.State}.Places(book.Counts(l.charges()), h.Truesize)
	l.fill(out, book)
	balance(out, h)
	out.Incomplete = cmp.Or(l.missed(), out.Incomplete)
}

// AccountAfter fills in where everything is when the ladder has been climbed.
// Charge is sk_wmem_alloc of all senders, truesize that of one packet, in bytes.
func (l *Ledger) AccountAfter(out *record.Ledger, charge, truesize int64, state record.State) {
	book := l.sync()
	defer l.mu.Unlock()
	out.After, out.AfterCharge = Names{state}.Places(book.Counts(l.charges()), truesize), charge
}

// missed says what makes an account worthless, whatever it adds up to; "" for
// nothing.
func (l *Ledger) missed() string {
	hidden, err := l.idleWatches.hidden(l.unproven)
	if l.err = errors.Join(l.err, err); l.err != nil {
		return l.err.Error()
	}
	return hidden
}

func (l *Ledger) fill(out *record.Ledger, book *Book) {
	lost, err := l.perf.lostInAll()
	l.err = errors.Join(l.err, err)
	out.By, out.Samples, out.Lost = byTracepoints, l.perf.samples, lost
	if l.probe != nil {
		out.By = byBoth
		out.Samples += l.probe.samples
		out.Lost += l.probe.lost(&l.err)
	}
	out.Seen, out.Unseen, out.Late = book.seen, book.unseen, book.late
}

// balance sums up and says what is wrong. It adds an NFQUEUE only if exactly
// what is missing waits there.
func balance(out *record.Ledger, h Holding) {
	out.Charge, out.Sum = h.Charge, 0
	for _, p := range out.Places {
		out.Sum += p.Bytes
	}
	waiting := 0
	for _, q := range h.Queues {
		waiting += q.Waiting
	}
	if waiting > 0 && out.Charge-out.Sum == int64(waiting)*h.Truesize {
		for _, q := range h.Queues {
			if q.Waiting == 0 {
				continue
			}
			out.Places = append(out.Places, record.LedgerPlace{
				Place: fmt.Sprintf("nfqueue %d", q.Number), Count: q.Waiting, Charged: true,
				Bytes: int64(q.Waiting) * h.Truesize, By: "/proc/net/netfilter/nfnetlink_queue",
			})
		}
		out.Sum += int64(waiting) * h.Truesize
		slices.SortStableFunc(out.Places, func(a, b record.LedgerPlace) int { return b.Count - a.Count })
	}
	out.Gap = out.Charge - out.Sum
	out.Incomplete = incomplete(*out, h.Truesize)
}

func incomplete(l record.Ledger, truesize int64) string {
	switch {
	case l.Lost > 0:
		return fmt.Sprintf("%d samples were lost", l.Lost)
	case l.Late > 0:
		return fmt.Sprintf("%d samples came out of order", l.Late)
	case truesize == 0 && l.Charge > l.Sum:
		return "the truesize of a packet is not known"
	case l.Gap > 0:
		return fmt.Sprintf("%d of %d bytes were not found", l.Gap, l.Charge)
	case l.Gap < 0:
		return fmt.Sprintf("%d bytes more were found than the %d charged", -l.Gap, l.Charge)
	default:
		return ""
	}
}

// Skip throws away what was freed since the last call.
func (l *Ledger) Skip() {
	l.sync().TakeFrees()
	l.mu.Unlock()
}

// Witness counts what was freed since the last call to a rung, or a phase.
func (l *Ledger) Witness(rung, on string) {
	book := l.sync()
	defer l.mu.Unlock()
	for _, f := range book.TakeFrees() {
		l.frees = append(l.frees, rungFree{f, rung, on})
	}
}

// rungFree is a Free with what was done then.
type rungFree struct {
	Free
	rung, on string
}

// witnesses names what Witness booked, the most first within a rung.
func (l *Ledger) witnesses(symbols map[uint64]string, names Names) []record.Witness {
	slices.SortStableFunc(l.frees, func(a, b rungFree) int {
		if a.rung != b.rung || a.on != b.on {
			return 0
		}
		return b.Count - a.Count
	})
	var out []record.Witness
	for _, f := range l.frees {
		from, _ := names.Place(f.From)
		out = append(out, record.Witness{
			Rung: f.rung, On: f.on, Location: symbolOf(symbols, f.Location), Reason: l.reason(f.Reason),
			Count: f.Count, From: from, Event: f.Kind.String(), Chain: chainOf(symbols, f.Chain),
		})
	}
	return out
}

// addresses are all that must be named. The kernel takes its time to list its
// symbols, seconds in a slow VM, so it is asked once.
func (l *Ledger) addresses(steps []Step) []uint64 {
	var out []uint64
	for _, f := range l.frees {
		out = append(append(out, f.Location), f.Chain...)
	}
	for _, s := range steps {
		out = append(out, s.Location)
	}
	return slices.DeleteFunc(out, func(a uint64) bool { return a == 0 })
}

func symbolOf(names map[uint64]string, address uint64) string {
	switch name, ok := names[address]; {
	case address == 0:
		return ""
	case !ok:
		return fmt.Sprintf("0x%x", address)
	default:
		return name
	}
}

// chainOf leaves out the perf code that the chain begins in.
func chainOf(names map[uint64]string, chain []uint64) []string {
	var out []string
	for _, ip := range chain {
		name := symbolOf(names, ip)
		if len(out) == 0 && perfCode(name) {
			continue
		}
		out = append(out, name)
	}
	return out
}

func perfCode(name string) bool {
	for _, prefix := range []string{"perf_", "__perf", "__traceiter_", "trace_", "__bpf_trace_"} {
		if len(name) >= len(prefix) && name[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

func (l *Ledger) reason(r uint32) string {
	if r == 0 {
		return ""
	}
	if name, ok := l.reasons[int64(r)]; ok {
		return name
	}
	return fmt.Sprintf("reason %d", r)
}

// Forget is called when nothing is charged any more. What waited for a
// neighbour without an address of its own is gone then.
func (l *Ledger) Forget() {
	book := l.sync()
	book.Forget()
	l.mu.Unlock()
}

// End waits until everything is free, for a bounded time, and fills in what is
// not, the life of one packet and who freed what.
func (l *Ledger) End(out *record.Ledger, state record.State, truesize int64) []record.Witness {
	var counts []Count
	for range endLooks {
		book := l.sync()
		book.Forget()
		counts = book.Counts(l.charges())
		l.mu.Unlock()
		if len(counts) == 0 {
			break
		}
		time.Sleep(endLook)
	}
	book := l.sync()
	defer l.mu.Unlock()
	l.fill(out, book)
	names := Names{state}
	symbols := resolve(l.addresses(book.Life()))
	out.Life = l.life(book.Life(), symbols, names)
	missed := l.missed()
	out.Incomplete = cmp.Or(out.Incomplete, missed)
	if out.Lost == 0 && out.Late == 0 && out.Unseen == 0 && missed == "" {
		left := 0
		for _, c := range counts {
			left += c.Charged + c.Loose + c.Clones
		}
		out.Left, out.LeftAt = &left, names.Places(counts, truesize)
	}
	return l.witnesses(symbols, names)
}

func (l *Ledger) life(steps []Step, symbols map[uint64]string, names Names) []record.LedgerStep {
	var out []record.LedgerStep
	for _, s := range steps {
		place, _ := names.Place(s.Place)
		out = append(out, record.LedgerStep{
			AtNs: s.At - l.epoch, What: s.what(), Place: place,
			Location: symbolOf(symbols, s.Location), Reason: l.reason(s.Reason), Truesize: s.Truesize,
		})
	}
	return out
}

func (s Step) what() string {
	switch s.Kind {
	case Queue:
		return "given to the device"
	case Enqueue:
		return "queued"
	case Dequeue:
		return "taken from the queue"
	case Start:
		return "given to the driver"
	case Xmit:
		if s.RC == netdevTxBusy {
			return "given back by the driver"
		}
		return fmt.Sprintf("driver returned %d", s.RC)
	case Neighbour:
		return "queued for a neighbour"
	case Drop:
		return "dropped"
	case Consume:
		return "freed"
	case Charge, Own:
		return "charged to the socket"
	case Uncharge:
		return "charge given back"
	case Clone:
		return "cloned"
	case Unresolved:
		return "queued for a neighbour"
	case Receive:
		return "received"
	case Listener:
		return "given to a listener"
	case Policy:
		return "queued for an IPsec state"
	default:
		return ""
	}
}
