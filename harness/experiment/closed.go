// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"fmt"
	"time"

	"skleak/harness/meter"
	"skleak/record"
)

const (
	socketsLook = 5 * time.Millisecond
	// socketsStill is how many equal counts in a row are believed after a grace
	// period, and socketsStillBlind where none could be waited for.
	socketsStill      = 2
	socketsStillBlind = 8
	socketsMost       = 200
	// socketsGone is long after the opening of the sending sockets: what had been
	// closed before is gone by then.
	socketsGone = 100 * time.Millisecond
)

// countSockets counts the sockets of the sandbox beside those that send. Those
// that building and calibrating closed stay counted for a grace period, so after
// a short burst it waits for one, and until the count stands still.
func (x *Experiment) countSockets(ctx context.Context, s *sending) error {
	still := socketsStillBlind
	if time.Since(s.opened) <= socketsGone && meter.GracePeriod() {
		still = socketsStill
	}
	last, same := -1, 0
	for range socketsMost {
		used, err := meter.SocketsUsed()
		if err != nil {
			return err
		}
		if used != last {
			last, same = used, 0
		}
		if same++; same > still || time.Since(s.opened) > socketsGone {
			break
		}
		if err := sleep(ctx, socketsLook); err != nil {
			return err
		}
	}
	x.trace.SocketsBefore = last - len(s.stream.Senders())
	return nil
}

// A closed socket goes after an RCU grace period, and on a machine with more
// work than processors one was seen to take over a second. Where a charge that
// no rung freed has shown the leak already, the count is no more than a witness.
const (
	closedMost  = 20 * time.Second
	witnessMost = 2 * time.Second
)

// countClosed counts the sockets that stay when those that sent are closed. A
// packet may pin its socket without charging it (net/core/sock.c,
// skb_orphan_partial, which netem calls), so whatever may still hold one is
// undone before a socket counts as pinned for good.
func (x *Experiment) countClosed(ctx context.Context) (err error) {
	before := x.trace.SocketsBefore
	x.trace.SocketsAfter, err = awaitSockets(ctx, before, witnessMost)
	if err != nil || x.trace.SocketsAfter <= before || x.leftCharged() {
		return err
	}
	steps, err := x.world.Steps(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if ownSockets(step.Rung) {
			continue
		}
		if err := step.Do(ctx); err != nil {
			x.emit(record.Event{Kind: record.EventNote, Text: fmt.Sprintf("%s (%s) failed: %v", step.Rung, step.On, err)})
		}
	}
	x.trace.SocketsAfter, err = awaitSockets(ctx, before, closedMost)
	return err
}

// ownSockets says that a rung closes sockets of our own, which are counted too.
func ownSockets(rung record.RungKind) bool {
	return rung == record.RungListener || rung == record.RungProcessEnd
}

// leftCharged says that something is charged after the last rung.
func (x *Experiment) leftCharged() bool {
	n := len(x.trace.Rungs)
	return n > 0 && x.trace.Rungs[n-1].After > 0
}

// awaitSockets reads the count of sockets until it is back to what it was.
func awaitSockets(ctx context.Context, before int, most time.Duration) (int, error) {
	meter.GracePeriod()
	for began := time.Now(); ; {
		used, err := meter.SocketsUsed()
		if err != nil || used <= before || time.Since(began) > most {
			return used, err
		}
		if err := sleep(ctx, socketsLook); err != nil {
			return used, err
		}
	}
}
