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
	size     string
	socket   string
	sndbuf   string
	style    string
}

func (f *trafficFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.rate, "rate", "", "packets per second, one in a time as 1/10s, or max (default the scenario's)")
	fs.IntVar(&f.count, "count", 0, "packets to send (default the scenario's)")
	fs.DurationVar(&f.duration, "duration", 0, "send for this long instead of a count")
	fs.StringVar(&f.packet, "packet", "", "packet to send; `skleak list` names them")
	fs.StringVar(&f.size, "size", "", "length of the IP packet, as 1000 or 1kb, 0 to 65535")
	fs.StringVar(&f.socket, "socket", "", "kind of sending socket; `skleak list` names them")
	fs.StringVar(&f.sndbuf, "sndbuf", "", "SO_SNDBUF to ask for, as 10000 or 10kb")
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
		rate, err := scenarios.ParseRate(f.rate)
		if err != nil {
			return fmt.Errorf("--rate %s: %w; give packets per second, one in a time as 1/10s, or max", f.rate, err)
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
		size, err := sizeFlag("size", f.size, 0, scenarios.MaxSize)
		if err != nil {
			return err
		}
		t.Size = &size
	}
	if fs.Changed("sndbuf") {
		sndbuf, err := sizeFlag("sndbuf", f.sndbuf, 1, scenarios.MaxSndBuf)
		if err != nil {
			return err
		}
		t.SndBuf = sndbuf
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

// sizeFlag reads a size as files have it, within bounds in bytes.
func sizeFlag(name, text string, least, most int) (int, error) {
	n, err := scenarios.ParseSize(text)
	if err == nil && (n < least || n > most) {
		err = fmt.Errorf("it is not within %d and %d bytes", least, most)
	}
	if err != nil {
		return 0, fmt.Errorf("--%s %s: %w; give bytes, or 10kb, 64KiB", name, text, err)
	}
	return n, nil
}
