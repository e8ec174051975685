// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"skleak/harness/ledger"
	"skleak/record"
)

// ledgerRun is the ledger of one experiment, or nothing: a nil *ledgerRun does nothing
// at no cost. Trouble with it is told and ends the ledger, not the experiment.
type ledgerRun struct {
	led   *ledger.Ledger
	x     *Experiment
	state record.State
}

// openLedgerRun opens the ledger where it is asked for. That there can be none is
// no error: the reader is told and the run goes on.
func (x *Experiment) openLedgerRun() *ledgerRun {
	if x.o.Ledger == LedgerOff {
		return nil
	}
	b := &ledgerRun{x: x}
	if err := b.open(); err != nil {
		b.give(err)
		return nil
	}
	x.trace.Ledger = &record.Ledger{}
	return b
}

func (b *ledgerRun) open() error {
	if err := b.look(); err != nil {
		return err
	}
	rules, err := b.x.ledgerRules()
	if err != nil {
		return err
	}
	place := b.x.place
	b.led, err = ledger.Open(ledger.Config{Rules: rules, Devices: ledger.Devices(b.state), Began: b.x.began, Probes: place.Probes, Unproven: place.Unproven})
	return err
}

// give gives the ledger up.
func (b *ledgerRun) give(err error) {
	if err = errors.Join(err, b.close()); err == nil {
		return
	}
	b.x.trace.Ledger, b.x.trace.Witness = nil, nil
	b.x.emit(record.Event{Kind: record.EventNote, Text: "no ledger: " + record.WithHint(err)})
}

// off reports that there is no ledger, or no longer one.
func (b *ledgerRun) off() bool { return b == nil || b.led == nil }

// own lets the ledger follow the sockets of s, which has not sent yet.
func (b *ledgerRun) own(s *sending) {
	if b.off() {
		return
	}
	for _, fd := range s.gauge.fds {
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			b.give(fmt.Errorf("read a sending socket's cookie: %w", err))
			return
		}
		if err := b.led.Own(cookie); err != nil {
			b.give(err)
			return
		}
	}
}

// ledgerRules say which packets are ours: of this process, and as long as the
// scenario's are when a device of any kind has put its header before them.
func (x *Experiment) ledgerRules() (ledger.Rules, error) {
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

// look takes a new picture of the sandbox, to name places by.
func (b *ledgerRun) look() error {
	state, err := b.x.picture("ledger")
	if err == nil {
		b.state = state
	}
	return err
}

// account says where everything is after settling. From here on frees are kept
// with their call chains.
func (b *ledgerRun) account(s *sending) {
	if b.off() {
		return
	}
	if err := b.drawUp(s); err != nil {
		b.give(err)
		return
	}
	b.skip()
}

func (b *ledgerRun) drawUp(s *sending) error {
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
	return nil
}

// after says where everything is when the ladder has been climbed, with the
// sockets still open.
func (b *ledgerRun) after(s *sending) {
	if b.off() {
		return
	}
	r, err := s.gauge.read()
	if err != nil {
		b.give(err)
		return
	}
	b.led.AccountAfter(b.x.trace.Ledger, r.Bytes, b.x.trace.Truesize, b.state)
}

// accountTries bounds how often an account is drawn up anew because the charge
// changed meanwhile.
const accountTries = 3

// readQueues reads the sandbox's NFQUEUEs; a kernel without has none.
func readQueues() ([]ledger.Backlog, error) {
	// NB: an experiment in place has one thread alone in its namespace.
	text, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the NFQUEUEs: %w", err)
	}
	return ledger.ParseQueues(string(text))
}

// witness counts what was freed since the last call to what was done.
func (b *ledgerRun) witness(rung, on string) {
	if b.off() {
		return
	}
	b.led.Witness(rung, on)
}

// skip throws away what was freed since the last call.
func (b *ledgerRun) skip() {
	if !b.off() {
		b.led.Skip()
	}
}

// emptied is called when time alone let go of everything.
func (b *ledgerRun) emptied() {
	if !b.off() {
		b.led.Forget()
	}
}

// end closes the ledger once sockets and links are gone.
func (b *ledgerRun) end() {
	if b.off() {
		return
	}
	b.x.trace.Witness = b.led.End(b.x.trace.Ledger, b.state, b.x.trace.Truesize)
	b.give(nil)
}

func (b *ledgerRun) close() error {
	if b.off() {
		return nil
	}
	err := b.led.Close()
	b.led = nil
	return err
}
