// SPDX-License-Identifier: GPL-2.0-only

package ledger

// netdevTxBusy is NETDEV_TX_BUSY: the driver did not take it.
const netdevTxBusy = 0x10

const (
	// lateAfter is how far, in nanoseconds, an event may be out of order: an
	// interrupt can come between the reading of a clock and the writing of it.
	lateAfter = 100_000
	// maxNest is beyond what the kernel lets drivers nest (XMIT_RECURSION_LIMIT).
	maxNest = 16
)

// etherIPv4 is ETH_P_IP.
const etherIPv4 = 0x0800

// Rules say which skbs are the experiment's.
type Rules struct {
	// PID is the process that sends.
	PID int32
	// Lengths are those of its packets when they reach their first device: that
	// of the IP packet, with and without the link's header. None lets all pass.
	Lengths []uint32
}

// Book is what is known of every skb. Events go in by time; it does no I/O.
type Book struct {
	rules Rules
	live  map[uint64]*life
	// nest are the drivers under way on each processor, innermost last.
	nest map[uint32][]call
	// waiting counts skbs that were queued to a neighbour before any device saw them.
	waiting map[Place]int
	frees   map[FreeAt]int
	chains  map[FreeAt][]uint64
	kept    *life
	held    bool

	seen, unseen int
	// sent counts the sender's own by the first device each came to.
	sent map[string]int
	last int64
	late int
}

// call is a driver's transmit function under way.
type call struct {
	tid  int32
	addr uint64
}

// FreeAt is a place in the kernel that frees.
type FreeAt struct {
	Kind     Kind
	Location uint64
	Reason   uint32
	// Caller is a hash of the call chain: one location may have several.
	Caller uint64
	// From is where the skb was; zero where no device had seen it.
	From Place
}

// NewBook makes an empty book.
func NewBook(r Rules) *Book {
	return &Book{
		rules: r, live: map[uint64]*life{}, nest: map[uint32][]call{}, waiting: map[Place]int{}, sent: map[string]int{},
		frees: map[FreeAt]int{}, chains: map[FreeAt][]uint64{},
	}
}

// Add counts one event.
func (b *Book) Add(e Event) {
	if e.At+lateAfter < b.last {
		b.late++
	}
	b.last = max(b.last, e.At)
	switch e.Kind {
	case Queue:
		b.queue(e)
	case Enqueue:
		if l := b.live[e.Skb]; l != nil {
			l.place.Ifindex = e.Ifindex
			l.note(e)
		}
	case Dequeue:
		if l := b.live[e.Skb]; l != nil {
			l.note(e)
		}
	case Start:
		b.start(e)
	case Xmit:
		b.xmit(e)
	case Neighbour:
		b.neighbour(e)
	case Receive:
		if l := b.live[e.Skb]; l != nil {
			l.place = Place{Kind: Received, Dev: e.Dev}
			l.note(e)
		}
	case Drop, Consume:
		b.free(e)
	default:
		b.probed(e)
	}
}

// ours: it happened in a system call of the sender's process.
func (b *Book) ours(e Event) bool { return e.PID == b.rules.PID && !e.Interrupt }

func (b *Book) queue(e Event) {
	_, nested := b.around(e)
	l := b.live[e.Skb]
	if l != nil && !nested && b.ours(e) && l.place.Kind == InQueue && b.fits(e) {
		// The same address comes down from a send again, and was never seen to
		// leave: it was freed where no tracepoint tells.
		b.unseen++
		delete(b.live, e.Skb)
		l = nil
	}
	if l == nil {
		if l = b.begin(e); l == nil {
			return
		}
	}
	if l.charged && !nested && !l.seen {
		l.seen = true
		b.seen++
		b.sent[e.Dev]++
	}
	l.place = Place{Kind: InQueue, Dev: e.Dev}
	l.note(e)
}

// begin starts a life, if the skb is one of ours.
func (b *Book) begin(e Event) *life {
	parent, nested := b.around(e)
	l := &life{addr: e.Skb}
	switch {
	case nested:
		// Made within a driver that has one of ours: a clone while that lives,
		// else the copy that took its place.
		l.charged = b.live[parent] == nil
	case b.ours(e) && b.fits(e):
		l.charged = true
	default:
		return nil
	}
	b.enter(l)
	return l
}

// enter counts a life; the first of the sender's own is kept for show.
func (b *Book) enter(l *life) {
	b.live[l.addr] = l
	if b.kept == nil && l.charged {
		b.kept = l
	}
}

func (b *Book) fits(e Event) bool {
	for _, n := range b.rules.Lengths {
		if n == e.Len {
			return true
		}
	}
	return len(b.rules.Lengths) == 0
}

// around is the skb of ours in whose driver the event happened.
func (b *Book) around(e Event) (addr uint64, nested bool) {
	stack := b.nest[e.CPU]
	if len(stack) == 0 || stack[len(stack)-1].tid != e.TID {
		return 0, false
	}
	return stack[len(stack)-1].addr, true
}

func (b *Book) start(e Event) {
	l := b.live[e.Skb]
	if l == nil {
		return
	}
	l.place = Place{Kind: InDriver, Dev: e.Dev}
	l.note(e)
	if len(b.nest[e.CPU]) >= maxNest {
		b.Lose()
	}
	b.nest[e.CPU] = append(b.nest[e.CPU], call{e.TID, e.Skb})
}

// Lose forgets what was under way: samples were lost, so ends may be missing.
func (b *Book) Lose() { clear(b.nest) }

func (b *Book) xmit(e Event) {
	stack := b.nest[e.CPU]
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].addr == e.Skb && stack[i].tid == e.TID {
			b.nest[e.CPU] = stack[:i]
			break
		}
	}
	l := b.live[e.Skb]
	if l == nil || l.place.Dev != e.Dev || l.place.Kind != InDriver {
		return
	}
	if e.RC == netdevTxBusy {
		l.place = Place{Kind: InQueue, Dev: e.Dev}
	}
	l.note(e)
}

func (b *Book) neighbour(e Event) {
	if e.RC != 1 {
		return
	}
	at := Place{Kind: InNeighbour, Dev: e.Dev, Addr: e.Addr}
	if addr, nested := b.around(e); nested {
		if l := b.live[addr]; l != nil {
			l.place = at
			l.note(e)
			return
		}
	} else if !b.ours(e) {
		return
	}
	b.waiting[at]++
}

func (b *Book) free(e Event) {
	l := b.live[e.Skb]
	at := FreeAt{Kind: e.Kind, Location: e.Location, Reason: e.Reason, Caller: hash(e.Chain)}
	switch {
	case l != nil:
		at.From = l.place
		l.note(e)
		delete(b.live, e.Skb)
		if !l.charged {
			return
		}
	case e.Kind == Drop && e.Protocol == etherIPv4 && b.ours(e) && b.leaveNeighbour(&at):
	default:
		return
	}
	b.frees[at]++
	if _, ok := b.chains[at]; !ok {
		b.chains[at] = e.Chain
	}
}

// leaveNeighbour takes one that no device had seen off a neighbour's queue.
func (b *Book) leaveNeighbour(at *FreeAt) bool {
	for place, n := range b.waiting {
		if n > 0 {
			b.waiting[place]--
			at.From = place
			return true
		}
	}
	return false
}

// hash tells call chains apart (FNV-1a over the addresses).
func hash(chain []uint64) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	if len(chain) == 0 {
		return 0
	}
	h := uint64(offset)
	for _, ip := range chain {
		h = (h ^ ip) * prime
	}
	return h
}

// Free is what one place freed.
type Free struct {
	FreeAt
	Count int
	Chain []uint64
}

// TakeFrees gives what was freed since the last call.
func (b *Book) TakeFrees() []Free {
	var out []Free
	for at, n := range b.frees {
		out = append(out, Free{FreeAt: at, Count: n, Chain: b.chains[at]})
	}
	clear(b.frees)
	clear(b.chains)
	return out
}

// Forget takes a neighbour's packets that no device saw off the book: their
// going cannot be seen from a timer, but the charge shows it.
func (b *Book) Forget() { clear(b.waiting) }

// Life is the life of the packet that is kept for show: the first, or once
// KeepHeld was called, the first that was held then.
func (b *Book) Life() []Step {
	if b.kept == nil {
		return nil
	}
	return b.kept.steps
}

// KeepHeld keeps one that is still out, rather than the first, for show.
func (b *Book) KeepHeld() {
	if b.held {
		return
	}
	var first *life
	for _, l := range b.live {
		if l.charged && len(l.steps) > 0 && (first == nil || l.steps[0].At < first.steps[0].At) {
			first = l
		}
	}
	if first != nil {
		b.kept, b.held = first, true
	}
}
