// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"math"
	"time"

	"skleak/harness/experiment"
	"skleak/harness/ledger"
	"skleak/netns"
	"skleak/record"
)

// Follow follows what a running process sends, for a time, and says where it is at
// the end. It sends nothing and changes nothing.
type Follow struct {
	// Self is the binary to execute again to keep a processor awake.
	Self string
	// Netns is the path of the network namespace that the packets are in.
	Netns string
	PID   int
	// Cookies are SO_COOKIE of the sockets.
	Cookies []uint64
	// For is how long.
	For time.Duration
	// Charge reads what the sockets are charged with together, in bytes.
	Charge func() (int64, error)
}

// Followed is what was seen.
type Followed struct {
	// Ledger says where the packets sent meanwhile are, its Charge being by how much
	// the charge grew; nil where none could be kept.
	Ledger *record.Ledger
	// Sent counts the packets that the process sent meanwhile, by the link.
	Sent map[string]int
	// Before and After are the charge at both ends, Least the least in the second half:
	// one that begins at 0 may grow for good.
	Before, After, Least int64
	// Notes say what could not be seen.
	Notes []string
}

// followLook is the time between two readings of the charge.
const followLook = 50 * time.Millisecond

// Run follows. That no ledger can be kept is a note.
func (f Follow) Run(ctx context.Context) (out Followed, err error) {
	local := NewLocal()
	local.Self, local.Options.Ledger = f.Self, experiment.LedgerOn
	held, notes := local.holdLedger()
	out.Notes = notes
	defer func() { err = errors.Join(err, held.Close()) }()
	err = netns.In(f.Netns, func() error { return f.in(ctx, held, &out) })
	return out, err
}

func (f Follow) in(ctx context.Context, held heldLedger, out *Followed) (err error) {
	survey, err := netns.OpenSurvey()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, survey.Close()) }()
	state, err := survey.State("before")
	if err != nil {
		return err
	}
	led := f.open(held, state, out)
	if led != nil {
		defer func() { err = errors.Join(err, led.Close()) }()
	}
	if err := f.watch(ctx, out); err != nil || led == nil {
		return err
	}
	if state, err = survey.State("after"); err != nil {
		return err
	}
	return f.account(led, state, out)
}

// open opens a ledger of what the process sends from now on; nil where there can
// be none.
func (f Follow) open(held heldLedger, state record.State, out *Followed) *ledger.Ledger {
	if held.held == nil {
		return nil
	}
	led, err := ledger.Open(ledger.Config{
		Rules: ledger.Rules{PID: int32(f.PID)}, Devices: ledger.Devices(state), Began: time.Now(),
		Probes: held.held.Probes(), Unproven: held.held.Unproven,
	})
	for _, cookie := range f.Cookies {
		if err == nil && cookie != 0 {
			err = led.Own(cookie)
		}
	}
	if err != nil {
		if led != nil {
			err = errors.Join(err, led.Close())
		}
		out.Notes = append(out.Notes, "no ledger: "+record.WithHint(err))
		return nil
	}
	return led
}

// watch reads the charge until the time is over.
func (f Follow) watch(ctx context.Context, out *Followed) (err error) {
	if out.Before, err = f.Charge(); err != nil {
		return err
	}
	out.Least, out.After = math.MaxInt64, out.Before
	tick := time.NewTicker(followLook)
	defer tick.Stop()
	half, end := time.Now().Add(f.For/2), time.Now().Add(f.For)
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if out.After, err = f.Charge(); err != nil {
			return err
		}
		if time.Now().After(half) {
			out.Least = min(out.Least, out.After)
		}
	}
	return nil
}

// accountTries bounds how often an account is made anew because the charge changed
// meanwhile.
const accountTries = 5

func (f Follow) account(led *ledger.Ledger, state record.State, out *Followed) (err error) {
	for range accountTries {
		var l record.Ledger
		led.Account(&l, ledger.Holding{Charge: out.After - out.Before, State: state})
		if count := charged(l); count > 0 && l.Sum == 0 && (out.After-out.Before)%int64(count) == 0 {
			// Nobody read the charges: they are of one size, if they are all.
			led.Account(&l, ledger.Holding{Charge: out.After - out.Before, Truesize: (out.After - out.Before) / int64(count), State: state})
		}
		out.Ledger, out.Sent = &l, led.Sent()
		now, err := f.Charge()
		if err != nil {
			return err
		}
		if now == out.After {
			break
		}
		out.After = now
	}
	return nil
}

// charged counts the packets that are charged where they are.
func charged(l record.Ledger) (n int) {
	for _, p := range l.Places {
		if p.Charged {
			n += p.Count
		}
	}
	return n
}
