// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"skleak/scenarios"
)

// trafficFlags change the traffic of every chosen scenario.
type trafficFlags struct {
	rate     string
	count    int
	duration time.Duration
	packet   string
	size     int
	socket   string
	sndbuf   int
	style    string
}

func (f *trafficFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.rate, "rate", "", "packets per second, or max (default the scenario's)")
	fs.IntVar(&f.count, "count", 0, "packets to send (default the scenario's)")
	fs.DurationVar(&f.duration, "duration", 0, "send for this long instead of a count")
	fs.StringVar(&f.packet, "packet", "", "packet to send; `skleak list` names them")
	fs.IntVar(&f.size, "size", 0, "length of the IP packet in bytes, 0 to 65535")
	fs.StringVar(&f.socket, "socket", "", "kind of sending socket; `skleak list` names them")
	fs.IntVar(&f.sndbuf, "sndbuf", 0, "SO_SNDBUF to ask for, in bytes")
	fs.StringVar(&f.style, "style", "", "poll-first (ospfd) or send-first (BIRD)")
}

// apply changes the scenarios as the flags say and checks them again.
func (f *trafficFlags) apply(fs *pflag.FlagSet, list []scenarios.Scenario) ([]scenarios.Scenario, error) {
	changed := make([]scenarios.Scenario, 0, len(list))
	for _, sc := range list {
		if err := f.applyOne(fs, &sc.Traffic); err != nil {
			return nil, err
		}
		if err := sc.Check(); err != nil {
			return nil, fmt.Errorf("with these flags: %w", err)
		}
		changed = append(changed, sc)
	}
	return changed, nil
}

func (f *trafficFlags) applyOne(fs *pflag.FlagSet, t *scenarios.Traffic) error {
	if fs.Changed("rate") {
		rate, err := parseRate(f.rate)
		if err != nil {
			return err
		}
		t.Rate = rate
	}
	if fs.Changed("duration") {
		if f.duration <= 0 {
			return fmt.Errorf("--duration %s: want more than 0s", f.duration)
		}
		t.Duration = f.duration
		if !fs.Changed("count") {
			t.Count = 0
		}
	}
	if fs.Changed("count") {
		if f.count < 1 || f.count > scenarios.MaxCount {
			return fmt.Errorf("--count %d: want 1 to %d", f.count, scenarios.MaxCount)
		}
		t.Count = f.count
	}
	if fs.Changed("size") {
		if f.size < 0 || f.size > scenarios.MaxSize {
			return fmt.Errorf("--size %d: want 0 to %d bytes", f.size, scenarios.MaxSize)
		}
		t.Size = &f.size
	}
	if fs.Changed("sndbuf") {
		if f.sndbuf < 1 {
			return fmt.Errorf("--sndbuf %d: want 1 byte or more", f.sndbuf)
		}
		t.SndBuf = f.sndbuf
	}
	if f.packet != "" {
		t.Packet = f.packet
	}
	if f.socket != "" {
		t.Socket = f.socket
	}
	if f.style != "" {
		t.Style = f.style
	}
	return nil
}
