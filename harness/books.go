package harness

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"skleak/harness/ledger"
	"skleak/record"
)

// books is the ledger of one experiment, or nothing: a nil *books does nothing
// at no cost.
type books struct {
	led   *ledger.Ledger
	x     *experiment
	state record.State
}

// openBooks opens the ledger where it is asked for. That there can be none is
// no error: the reader is told and the run goes on.
func (x *experiment) openBooks() (*books, error) {
	if x.o.Ledger == LedgerOff {
		return nil, nil //nolint:nilnil // a nil *books is the ledger that is off
	}
	b := &books{x: x}
	if err := b.look(); err != nil {
		return nil, err
	}
	rules, err := x.ledgerRules()
	if err != nil {
		return nil, err
	}
	b.led, err = ledger.Open(ledger.Config{Rules: rules, Devices: devices(b.state), Began: x.began, Probes: x.o.Probes, Unproven: x.o.Unproven})
	var missing *ledger.UnavailableError
	if errors.As(err, &missing) {
		x.emit(record.Event{Kind: record.EventNote, Text: "no ledger: " + missing.Error()})
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	x.trace.Ledger = &record.Ledger{}
	return b, nil
}

// heldLedger is what all ledgers of a run need.
type heldLedger struct {
	held   *ledger.Held
	wakers wakers
}

func (h heldLedger) Close() error { return errors.Join(h.wakers.Close(), h.held.Close()) }

// holdLedger finds out, once a run, whether there can be a ledger and what of,
// and tells.
func (l *Local) holdLedger() (h heldLedger, notes []string) {
	if l.Options.Ledger == LedgerOff {
		return h, nil
	}
	var err error
	if h.held, err = ledger.Hold(l.Options.Ledger == LedgerOn); err == nil {
		h.wakers, err = keepAwake(l.Self, h.held.Unproven)
	}
	if err != nil {
		l.Options.Ledger = LedgerOff
		return heldLedger{}, []string{"no ledger: " + errors.Join(err, h.Close()).Error()}
	}
	l.Options.Probes, l.Options.Unproven = h.held.Probes(), h.held.Unproven
	if h.held.Without != nil {
		notes = append(notes, "the ledger goes by tracepoints alone, without BPF: "+h.held.Without.Error())
	}
	for _, cpu := range h.held.Blind {
		notes = append(notes, fmt.Sprintf("perf shows nothing of what happens on processor %d while that sleeps: it is kept awake", cpu))
	}
	return h, notes
}

// own lets the ledger follow the sockets of s, which has not sent yet.
func (b *books) own(s *sending) error {
	if b == nil {
		return nil
	}
	for _, fd := range s.gauge.fds {
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			return fmt.Errorf("read a sending socket's cookie: %w", err)
		}
		if err := b.led.Own(cookie); err != nil {
			return err
		}
	}
	return nil
}

// ledgerRules say which packets are ours: of this process, and as long as the
// scenario's are when a device of any kind has put its header before them.
func (x *experiment) ledgerRules() (ledger.Rules, error) {
	rules := ledger.Rules{PID: int32(os.Getpid())}
	cfg, err := x.config()
	if err != nil {
		return rules, err
	}
	size, err := packetSize(cfg)
	if err != nil {
		return rules, err
	}
	if size > cfg.Targets[0].MTU {
		// It comes in fragments.
		return rules, nil
	}
	const ethernet, tag, gre = 14, 4, 24
	for _, header := range []int{0, ethernet, ethernet + tag, gre, gre + tag} {
		rules.Lengths = append(rules.Lengths, uint32(size+header))
	}
	return rules, nil
}

// devices are the names of all links but the loopbacks, whose names are
// everybody's.
func devices(state record.State) []string {
	seen := map[string]bool{"lo": true}
	var names []string
	for _, l := range state.Links {
		if !seen[l.Name] {
			seen[l.Name] = true
			names = append(names, l.Name)
		}
	}
	return names
}

// look takes a new picture of the sandbox, to name places by.
func (b *books) look() error {
	state, err := b.x.world.State("ledger")
	if err == nil {
		b.state = state
	}
	return err
}

// account says where everything is after settling. From here on frees are kept
// with their call chains.
func (b *books) account(s *sending) error {
	if b == nil {
		return nil
	}
	if err := errors.Join(b.look(), b.led.Begin()); err != nil {
		return err
	}
	r, err := s.gauge.read()
	if err != nil {
		return err
	}
	for range accountTries {
		queues, err := readQueues()
		if err != nil {
			return err
		}
		b.led.Account(b.x.trace.Ledger, ledger.Holding{
			Charge: r.Bytes, Truesize: b.x.trace.Truesize, Queues: queues, State: b.state,
		})
		before := r.Bytes
		if r, err = s.gauge.read(); err != nil {
			return err
		}
		if r.Bytes == before {
			break
		}
	}
	b.skip()
	return nil
}

// accountTries bounds how often an account is drawn up anew because the charge
// changed meanwhile.
const accountTries = 3

// readQueues reads the sandbox's NFQUEUEs; a kernel without has none.
func readQueues() ([]ledger.Backlog, error) {
	text, err := os.ReadFile("/proc/self/net/netfilter/nfnetlink_queue")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the NFQUEUEs: %w", err)
	}
	return ledger.ParseQueues(string(text))
}

// witness books what was freed since the last call to what was done.
func (b *books) witness(rung, on string) {
	if b == nil {
		return
	}
	b.led.Witness(rung, on)
}

// skip throws away what was freed since the last call.
func (b *books) skip() {
	if b != nil {
		b.led.Skip()
	}
}

// emptied is called when time alone let go of everything.
func (b *books) emptied() {
	if b != nil {
		b.led.Forget()
	}
}

// end closes the ledger once sockets and links are gone.
func (b *books) end() error {
	if b == nil {
		return nil
	}
	b.x.trace.Witness = b.led.End(b.x.trace.Ledger, b.state, b.x.trace.Truesize)
	return b.close()
}

func (b *books) close() error {
	if b == nil || b.led == nil {
		return nil
	}
	err := b.led.Close()
	b.led = nil
	return err
}
