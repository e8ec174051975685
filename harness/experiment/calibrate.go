// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"context"
	"errors"
	"fmt"

	"skleak/harness/meter"
	"skleak/harness/traffic"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// Calibrations are the truesizes one process has measured: on one kernel the
// same packet by the same kind of socket costs the same.
type Calibrations map[calibrated]calibration

// calibrated is all that the charge of a packet on lo depends on.
type calibrated struct {
	socket, packet, iface string
	// size is the IP packet's, mtu the link's.
	size, mtu int
}

type calibration struct {
	truesize int64
	by       string
}

// calibrate measures the charge of one packet of the scenario's kind on lo. A
// kernel that can hold nothing there leaves it unknown, and the reader told.
func (x *Experiment) calibrate(ctx context.Context) (err error) {
	cfg, err := x.config()
	if err != nil {
		return err
	}
	link := cfg.Targets[0]
	lo, err := traffic.FindTarget("lo", link.Source)
	if err != nil {
		return err
	}
	size, err := packetSize(cfg)
	if err != nil {
		return err
	}
	what := calibrated{cfg.Socket, cfg.Spec.Name, cfg.Interface, size, link.MTU}
	if known, ok := x.calibrated[what]; ok {
		x.trace.Truesize, x.trace.TruesizeBy = known.truesize, known.by
		return nil
	}
	cfg.Name, cfg.Targets = "calibration", []traffic.Target{lo}
	sender, err := traffic.Open(cfg)
	if err != nil {
		return err
	}
	stream := traffic.NewStream(sender)
	defer func() { err = errors.Join(err, stream.Close()) }()
	send := func() error {
		stats, err := stream.Run(ctx, traffic.Plan{Count: 1, Style: scenarios.StyleSendFirst}, nil)
		if err == nil && stats.Sent != 1 {
			err = fmt.Errorf("the packet was not taken: %v", stats.Refused)
		}
		return err
	}
	truesize, by, err := meter.Calibrate(size, link.MTU, x.mayQueue(), send, func() (uint32, error) { return meter.Charge(sender.FD()) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		x.emit(record.Event{Kind: record.EventNote, Text: fmt.Sprintf("truesize not measured: %v", err)})
		return nil
	}
	x.trace.Modules = x.world.Modules()
	x.trace.Truesize, x.trace.TruesizeBy = truesize, by
	x.calibrated[what] = calibration{truesize, by}
	return nil
}

// mayQueue keeps a calibration from loading the module of its queue.
func (x *Experiment) mayQueue() func(qdisc string) error {
	if !x.o.RefuseModules {
		return nil
	}
	return netns.QdiscWithoutLoading
}

// packetSize is the length of the IP packet in bytes.
func packetSize(cfg traffic.Config) (int, error) {
	dst := cfg.Destination
	if !dst.IsValid() {
		dst = cfg.Spec.Destination
	}
	p, err := traffic.Build(cfg.Spec, cfg.Targets[0].Source, dst, cfg.Size, cfg.Payload)
	if err != nil {
		return 0, err
	}
	return len(p.IP()), nil
}
