// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

const (
	// carrierTimeout bounds the wait for all links together.
	carrierTimeout = 3 * time.Second
	// cardCarrierTimeout is the same with cards, which negotiate: e1000e takes 3 s.
	cardCarrierTimeout = 15 * time.Second
	// carrierPoll is the first wait between two looks; each is half as long again
	// as the one before, up to carrierPollMost. A look is a netlink dump, and a
	// guest without KVM does nothing else meanwhile.
	carrierPoll     = 2 * time.Millisecond
	carrierPollMost = 30 * time.Millisecond
)

// awaitCarrier waits until each link that can run does.
func (w *World) awaitCarrier(ctx context.Context) error {
	most := w.carrierTimeout()
	ctx, cancel := context.WithTimeoutCause(ctx, most, errors.New("no carrier after "+most.String()))
	defer cancel()
	wait := carrierPoll
	for _, lk := range w.links {
		if !w.willRun(lk) {
			continue
		}
		for {
			ok, err := lk.runs()
			if err != nil {
				return fmt.Errorf("wait for the carrier of %s: %w", lk.Name, err)
			}
			if ok {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the carrier of %s: %w", lk.Name, context.Cause(ctx))
			case <-time.After(wait):
				wait = min(wait*3/2, carrierPollMost)
			}
		}
	}
	return nil
}

func (w *World) carrierTimeout() time.Duration {
	for _, lk := range w.links {
		if lk.card != nil {
			return cardCarrierTimeout
		}
	}
	return carrierTimeout
}

// willRun tells whether the link can be expected to have a carrier.
func (w *World) willRun(lk *link) bool {
	if lk.Down {
		return false
	}
	switch scenarios.LinkKind(lk.kind).Carrier {
	case scenarios.CarrierOfPeer:
		return lk.peer == nil || !lk.peer.Down
	case scenarios.CarrierOfPorts:
		for _, port := range w.links {
			if w.stacking().IsPort(port, lk) && w.willRun(port) {
				return true
			}
		}
		return false
	case scenarios.CarrierOfParent:
		for _, name := range lk.lower {
			if parent := w.find(lk.Netns, name); parent != nil && !w.willRun(parent) {
				return false
			}
		}
	}
	return true
}

// runs tells whether the link transmits. A carrier alone is not enough: the
// kernel puts the queue in place only when its link watch has seen the carrier
// (net/core/link_watch.c, linkwatch_do_dev), and until then drops everything
// in a noop qdisc, which it does not list. A port must be seen running too: that
// is what its master goes by (net/bridge/br_if.c, br_port_carrier_check). Of any
// other link the flag tells nothing more, and the link watch, which sets it, works
// once a second: on 6.1 every other TUN waited for it.
func (lk *link) runs() (bool, error) {
	l, err := lk.space.nl.LinkByIndex(lk.index)
	if err != nil {
		return false, err
	}
	want := uint32(unix.IFF_UP | unix.IFF_LOWER_UP)
	if lk.Master != "" {
		want |= unix.IFF_RUNNING
	}
	if l.Attrs().RawFlags&want != want {
		return false, nil
	}
	qs, err := lk.space.qdiscs(lk.index)
	return len(qs) > 0, err
}
