// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/experiment"
	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// Probe is the experiment through links that are there already. It sends few
// packets, harmless ones, and changes nothing: no link, queue, neighbour or sysctl.
type Probe struct {
	// Self is the binary to execute again for what has to be measured in a sandbox.
	Self string
	// Netns is the path of the network namespace; "" is the caller's own.
	Netns string
	// Rate is packets a second; Count how many at the most for each link, 0 for
	// as many as show a socket of this kernel falling silent.
	Rate  float64
	Count int
	// Rings says how many packets a link may take without keeping them charged,
	// by its name: a TUN's ring is filled before anything is held. They come on top
	// of what is chosen for a Count of 0.
	Rings map[string]int
	// Options are Settle, Patience and Ledger; the others do not apply.
	Options experiment.Options
}

const (
	// ProbeRate is slow for any link that routing daemons use.
	ProbeRate = 100
	// MaxProbeCount bounds the packets of one link: 20 s at ProbeRate.
	MaxProbeCount = 2000
	// probeMargin is how many packets more are sent than silence the socket, and
	// probeMost bounds what is chosen.
	probeMargin = 32
	probeMost   = 500
)

// Sight is what one link did with the packets.
type Sight struct {
	Link string
	// Trace is what was measured; Err says why nothing was.
	Trace record.Trace
	Err   error
}

// Prepared is a Probe that knows what a packet costs and how many it needs.
type Prepared struct {
	Probe
	cost experiment.Cost
	// chosen is how many packets silence a socket, and some more.
	chosen int
	place  experiment.Place
	held   heldLedger
	// Notes are lines for the reader: that there can be no ledger, and why.
	Notes []string
}

// Prepare measures in a sandbox what a packet costs on this kernel and opens what
// a ledger needs. It sends nothing through any link of the namespace. Close must be
// called.
func (p Probe) Prepare(ctx context.Context) (*Prepared, error) {
	if err := netns.In(p.Netns, maySend); err != nil {
		return nil, err
	}
	local := NewLocal()
	local.Self, local.Jobs, local.KeepLeftovers = p.Self, 1, true
	trace, err := local.cost(ctx)
	if err != nil {
		return nil, err
	}
	ready := &Prepared{Probe: p, cost: experiment.Cost{Truesize: trace.Truesize, By: trace.TruesizeBy + " of a sandbox"}}
	half := trace.Sockets[0].SndBuf / 2
	ready.chosen = min(int(half/trace.Truesize)+probeMargin, probeMost)
	local.Options = p.Options
	ready.held, ready.Notes = local.holdLedger()
	ready.held.tell(&ready.place)
	ready.Options = local.Options
	return ready, nil
}

// PacketCost measures in a sandbox what a small packet costs on this kernel.
func PacketCost(ctx context.Context, self string) (experiment.Cost, error) {
	local := NewLocal()
	local.Self, local.Jobs, local.KeepLeftovers = self, 1, true
	trace, err := local.cost(ctx)
	return experiment.Cost{Truesize: trace.Truesize, By: trace.TruesizeBy + " of a sandbox"}, err
}

// maySend opens the socket that will be sent through, and closes it.
func maySend() error {
	const protocol = 253
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("open a raw socket: %w; it takes CAP_NET_RAW in the network namespace of the links: run it as root", err)
	}
	if err != nil {
		return fmt.Errorf("open a raw socket: %w", err)
	}
	return unix.Close(fd)
}

// cost runs the smallest experiment there is, for its truesize and send buffer. It
// loads no module: where the queue that holds packets back on lo would need one,
// packets for a neighbour that does not answer are weighed instead.
func (l Local) cost(ctx context.Context) (record.Trace, error) {
	l.Options.RefuseModules = true
	var errs []error
	for _, link := range costLinks() {
		sc := probeScenario(link.Name, 1, 0)
		sc.Links = []scenarios.Link{link}
		t, err := l.traceOf(ctx, sc)
		if err == nil && t.Truesize <= 0 && link.Kind() == "veth" {
			t, err = l.weigh(ctx, sc)
		}
		switch {
		case ctx.Err() != nil:
			return t, ctx.Err()
		case err == nil && t.Truesize > 0 && len(t.Sockets) == 1:
			return t, nil
		case err == nil:
			err = errors.New("no queue that holds packets back on lo without loading a module")
		}
		var denied *PrivilegeError
		if errors.As(err, &denied) {
			return t, err
		}
		errs = append(errs, fmt.Errorf("by a %s: %w", link.Kind(), err))
	}
	return record.Trace{}, fmt.Errorf("measure in a sandbox what a packet costs: %w; `modprobe veth`, or another of these, helps", errors.Join(errs...))
}

// costLinks are the links to measure by, in the order they are tried.
func costLinks() []scenarios.Link {
	common := scenarios.Common{Name: "c0", Addresses: []string{"192.0.2.1/24"}}
	return []scenarios.Link{
		{Common: common, Options: &scenarios.VethOptions{Peer: scenarios.Common{Name: "c1"}}},
		{Common: common, Options: &scenarios.DummyOptions{}},
		{Common: common, Options: &scenarios.TunOptions{}},
	}
}

// weigh has some packets wait for a neighbour that does not answer.
func (l Local) weigh(ctx context.Context, sc scenarios.Scenario) (record.Trace, error) {
	const packets = 8
	sc.Traffic.Count, sc.Traffic.To, sc.Traffic.Interface = packets, "192.0.2.2", scenarios.InterfacePktInfo
	l.Options.Patience = 0
	t, err := l.traceOf(ctx, sc)
	if err == nil && t.Sent == packets && t.Settle.Bytes%packets == 0 {
		t.Truesize, t.TruesizeBy = t.Settle.Bytes/packets, "an unresolved neighbour"
	}
	return t, err
}

// traceOf runs one scenario. A skip is an error.
func (l Local) traceOf(ctx context.Context, sc scenarios.Scenario) (record.Trace, error) {
	for e, err := range l.Run(ctx, []scenarios.Scenario{sc}) {
		switch {
		case err != nil:
			return record.Trace{}, err
		case e.Kind == record.EventTrouble || e.Kind == record.EventSkip:
			return record.Trace{}, errors.New(e.Text)
		case e.Kind == record.EventTrace:
			return *e.Trace, nil
		}
	}
	return record.Trace{}, errors.New("the sandbox said nothing")
}

// probeScenario sends what no host listens for: protocol 253 with a TTL of 1.
func probeScenario(link string, count int, rate float64) scenarios.Scenario {
	return scenarios.Scenario{
		Name: "probe/" + link,
		Traffic: scenarios.Traffic{
			Socket: scenarios.SocketHdrIncl, Packet: "experimental", Via: []string{link},
			Interface: scenarios.InterfaceMulticastIf, Style: scenarios.StylePollFirst,
			Count: count, Rate: rate,
		},
		Expect: []record.Verdict{record.Clean},
	}
}

// Look sends through one link after the other and tells of each as it is done.
// It ends early when told returns false, or ctx ends, which is its error.
func (p *Prepared) Look(ctx context.Context, links []string, told func(Sight) bool) error {
	err := netns.In(p.Netns, func() error {
		for _, link := range links {
			trace, err := p.one(ctx, link)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !told(Sight{Link: link, Trace: trace, Err: err}) {
				return nil
			}
		}
		return nil
	})
	return err
}

// Packets is how many are sent through a link at the most.
func (p *Prepared) Packets(link string) int {
	if p.Count > 0 {
		return p.Count
	}
	return min(p.chosen+max(p.Rings[link], 0), MaxProbeCount)
}

func (p *Prepared) one(ctx context.Context, link string) (record.Trace, error) {
	began := time.Now()
	x := experiment.New(experiment.Setup{
		Request: experiment.Request{Scenario: probeScenario(link, p.Packets(link), p.Rate), Options: p.Options, Place: p.place},
		Kernel:  Kernel(), Began: began,
		Emit: func(e record.Event) {
			if e.Kind == record.EventNote {
				p.Notes = append(p.Notes, link+": "+e.Text)
			}
		},
	})
	return x.InPlace(ctx, p.cost)
}

// Close lets go of what the ledger needs.
func (p *Prepared) Close() error { return p.held.Close() }
