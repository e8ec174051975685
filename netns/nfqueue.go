// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

const (
	// nfqueueMaxLen is NFQNL_QMAX_DEFAULT of net/netfilter/nfnetlink_queue.c.
	nfqueueMaxLen = 1024
	// nfqueueEventBytes is what one packet's message costs the receive buffer at
	// most: the headers alone are asked for.
	nfqueueEventBytes = 4096
	// nfqueueErrors bounds the errors in a row a listener outlives.
	nfqueueErrors = 1000
	verdictAccept = "accept"
	verdictDrop   = "drop"
	verdictNone   = "none"
)

// queue is an NFQUEUE that rules name.
type queue struct {
	Number int
	// hooks and links are those of the rules that name it; "" is every link.
	hooks, links []string

	mu sync.Mutex
	// on is nil without a listener.
	on *listener
}

// openQueues lists the queues of fs by number and starts the listeners. The
// first listener named for a queue is the one that is used.
func openQueues(s *space, fs []scenarios.Filter) ([]*queue, error) {
	wanted := map[int]*scenarios.Listener{}
	hooks, on := map[int][]string{}, map[int][]string{}
	for _, f := range fs {
		if f.Action != actionNfqueue {
			continue
		}
		if wanted[f.Queue] == nil {
			wanted[f.Queue] = f.Listener
		}
		hooks[f.Queue] = append(hooks[f.Queue], f.Hook)
		on[f.Queue] = append(on[f.Queue], f.Link)
	}
	var queues []*queue
	for number, l := range wanted {
		q := &queue{Number: number, hooks: hooks[number], links: on[number]}
		queues = append(queues, q)
		if l == nil {
			continue
		}
		on, err := listen(s, number, *l)
		if err != nil {
			errs := fmt.Errorf("listen to nfqueue %d: %w", number, err)
			for _, q := range queues {
				errs = errors.Join(errs, q.close())
			}
			return nil, errs
		}
		q.on = on
	}
	slices.SortFunc(queues, func(a, b *queue) int { return a.Number - b.Number })
	return queues, nil
}

// listening reports whether a listener is bound to the queue.
func (q *queue) listening() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.on != nil
}

// giveVerdicts accepts all that was withheld so far, and all that follows.
func (q *queue) giveVerdicts() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.on == nil {
		return nil
	}
	if err := q.on.giveVerdicts(); err != nil {
		return fmt.Errorf("give the verdicts of nfqueue %d: %w", q.Number, err)
	}
	return nil
}

// empty drops what is withheld, at once and for good. It is for the end: what is
// still queued when the rules' hooks go is handed back to hooks that are not
// there, and up to 6.9 the kernel warns of that (nf_reinject in
// net/netfilter/nf_queue.c).
func (q *queue) empty() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.on == nil {
		return nil
	}
	if err := q.on.empty(); err != nil {
		return fmt.Errorf("drop what nfqueue %d withholds: %w", q.Number, err)
	}
	return nil
}

// close ends the listener. The kernel drops what was withheld a moment later,
// after an RCU grace period (instance_destroy in nfnetlink_queue.c).
func (q *queue) close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.on == nil {
		return nil
	}
	err := q.on.close()
	q.on = nil
	if err != nil {
		return fmt.Errorf("end the listener of nfqueue %d: %w", q.Number, err)
	}
	return nil
}

// listener is a program bound to an NFQUEUE.
type listener struct {
	nf   *nfqueue.Nfqueue
	stop context.CancelFunc
	keep map[int]bool

	mu      sync.Mutex
	verdict int
	// none is set while no verdict is given at all.
	none bool
	// seen is how many packets came, withheld how many of them still wait, and
	// last is the kernel's number of the newest of those.
	seen, withheld int
	// accepted and dropped got that verdict.
	accepted, dropped int
	last              uint32
	failed            error
	inARow            int
	// closing is set before the socket is closed: packets that come meanwhile
	// get no verdict, the kernel drops them.
	closing bool
}

func listen(s *space, number int, spec scenarios.Listener) (*listener, error) {
	l := &listener{keep: map[int]bool{}}
	switch spec.Verdict {
	case verdictAccept:
		l.verdict = nfqueue.NfAccept
	case verdictDrop:
		l.verdict = nfqueue.NfDrop
	case verdictNone:
		l.none = true
	default:
		return nil, fmt.Errorf("verdict %q is not one of %s, %s, %s", spec.Verdict, verdictAccept, verdictDrop, verdictNone)
	}
	if spec.MaxLen < 0 {
		return nil, fmt.Errorf("maxlen %d is below 0", spec.MaxLen)
	}
	for _, n := range spec.Keep {
		l.keep[n] = true
	}
	if spec.MaxLen == 0 {
		// NB: the library always sets the length, and 0 would drop every packet.
		spec.MaxLen = nfqueueMaxLen
	}
	if err := l.open(s, uint16(number), spec.MaxLen); err != nil {
		return nil, nfqueueUnsupported(err)
	}
	return l, nil
}

func (l *listener) open(s *space, number uint16, maxLen int) error {
	nf, err := nfqueue.Open(&nfqueue.Config{
		NetNS: int(s.handle), NfQueue: number, MaxQueueLen: uint32(maxLen),
		Copymode: nfqueue.NfQnlCopyMeta, AfFamily: unix.AF_INET, WriteTimeout: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	// A message that finds the buffer full costs the packet its place: the kernel
	// drops it. So all the queue can hold must fit.
	err = errors.Join(
		nf.Con.SetReadBuffer(min(max(maxLen, nfqueueMaxLen)*nfqueueEventBytes, 256<<20)),
		nf.SetOption(netlink.NoENOBUFS, true),
	)
	if err != nil {
		return errors.Join(err, nf.Close())
	}
	// The listener lives until its close, not as long as the caller's context.
	ctx, stop := context.WithCancel(context.Background())
	l.nf, l.stop = nf, stop
	if err := nf.RegisterWithErrorFunc(ctx, l.packet, l.trouble); err != nil {
		stop()
		return errors.Join(err, nf.Close())
	}
	return nil
}

// nfqueueUnsupported makes a skip of what nfnetlink says when nobody serves
// queues (nfnetlink_rcv_msg in net/netfilter/nfnetlink.c).
func nfqueueUnsupported(err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return &record.UnsupportedError{Feature: "NFQUEUE listener",
			Hint: "CONFIG_NETFILTER_NETLINK_QUEUE or module nfnetlink_queue", Err: err}
	}
	return err
}

// packet judges one packet; the library calls it on its own goroutine.
func (l *listener) packet(a nfqueue.Attribute) int {
	if a.PacketID == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return 0
	}
	l.seen++
	l.inARow = 0
	if l.none || l.keep[l.seen] {
		l.withheld++
		l.last = *a.PacketID
		return 0
	}
	if err := l.nf.SetVerdict(*a.PacketID, l.verdict); err != nil {
		l.failed = fmt.Errorf("verdict of packet %d: %w", l.seen, err)
		return 0
	}
	l.judged(1)
	return 0
}

// trouble decides whether an error ends the listener: a verdict for a packet
// that was flushed meanwhile comes back as one and does not.
func (l *listener) trouble(err error) int {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inARow++; l.inARow < nfqueueErrors {
		return 0
	}
	l.failed = fmt.Errorf("read packets: %w", err)
	return 1
}

// giveVerdicts accepts in one message all packets up to the newest withheld;
// they were withheld in the order the kernel numbered them.
func (l *listener) giveVerdicts() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.withheld
	l.none, l.keep, l.verdict, l.withheld = false, nil, nfqueue.NfAccept, 0
	if waiting == 0 {
		return l.failed
	}
	l.judged(waiting)
	return errors.Join(l.failed, l.nf.SetVerdictBatch(l.last, nfqueue.NfAccept))
}

// judged counts packets that get the verdict in force.
func (l *listener) judged(packets int) {
	if l.verdict == nfqueue.NfAccept {
		l.accepted += packets
	} else {
		l.dropped += packets
	}
}

// beyondAll is far enough past a packet's number to take in those that came but
// were not read, and less than half of the numbers there are (nfq_cmp_id).
const beyondAll = 1 << 30

// empty drops all packets, also those that nobody has read yet.
func (l *listener) empty() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.none, l.keep, l.verdict, l.withheld = false, nil, nfqueue.NfDrop, 0
	return errors.Join(l.failed, l.nf.SetVerdictBatch(l.last+beyondAll, nfqueue.NfDrop))
}

// counts tells how many packets came and how many of them are withheld.
func (l *listener) counts() (seen, withheld int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen, l.withheld
}

// close ends the listener and waits for its goroutines.
func (l *listener) close() error {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.stop()
	err := l.nf.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failed, err)
}
