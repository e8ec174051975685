// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"

	"skleak/harness/traffic"
	"skleak/scenarios"
)

//go:embed sendmmsg.c
var peerSource string

const (
	near    = "v0"
	far     = "v1"
	address = "172.29.198.1/24"
)

// track is the veth both senders run on.
type track struct {
	peer   string
	link   netlink.Link
	target traffic.Target
	packet traffic.Packet
}

func newTrack(ctx context.Context, peer string) (*track, error) {
	for _, which := range []string{"all", "default"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0o644)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("turn IPv6 off in the namespace: %w", err)
		}
	}
	t := &track{peer: peer, link: &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}}
	if err := netlink.LinkAdd(t.link); err != nil {
		return nil, fmt.Errorf("create veth %s: %w", near, err)
	}
	if err := t.setUp(ctx); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *track) close() error {
	if err := netlink.LinkDel(t.link); err != nil {
		return fmt.Errorf("delete veth %s: %w", near, err)
	}
	return nil
}

func (t *track) setUp(ctx context.Context) error {
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(t.link, addr); err != nil {
		return fmt.Errorf("add %s to %s: %w", address, near, err)
	}
	for _, name := range []string{near, far} {
		if err := bringUp(name); err != nil {
			return err
		}
	}
	if err := awaitCarrier(ctx, near); err != nil {
		return err
	}
	if t.target, err = traffic.FindTarget(near, netip.Addr{}); err != nil {
		return err
	}
	spec, err := traffic.Lookup("ospf-hello")
	if err != nil {
		return err
	}
	t.packet, err = traffic.Build(spec, t.target.Source, spec.Destination, nil, nil)
	return err
}

func bringUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// awaitCarrier waits until packets are no longer dropped for lack of a carrier.
func awaitCarrier(ctx context.Context, name string) error {
	for range 500 {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s has no carrier after 5 s", name)
}

// runGo sends with skleak's sender; a packet that does not get through is an
// error.
func (t *track) runGo(ctx context.Context, plan traffic.Plan, obs traffic.Observer) (traffic.Stats, error) {
	return t.send(ctx, plan, obs, func(*traffic.Stream) error { return nil })
}

// send is runGo with something to be done between opening and sending.
func (t *track) send(ctx context.Context, plan traffic.Plan, obs traffic.Observer, opened func(*traffic.Stream) error) (stats traffic.Stats, err error) {
	s, err := traffic.OpenStream(traffic.Config{
		Socket: scenarios.SocketHdrIncl, Spec: t.packet.Spec, Targets: []traffic.Target{t.target},
	}, false)
	if err != nil {
		return stats, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := opened(s); err != nil {
		return stats, err
	}
	stats, err = s.Run(ctx, plan, obs)
	if err == nil && stats.Sent != plan.Count {
		err = fmt.Errorf("skleak's sender got %d of %d packets through: %v, %s", stats.Sent, plan.Count, stats.Refused, stats.Stopped)
	}
	return stats, err
}

// goRate is packets per second of skleak's sender at full speed.
func (t *track) goRate(ctx context.Context, style string, packets int) (float64, error) {
	stats, err := t.runGo(ctx, traffic.Plan{Count: packets, Style: style}, nil)
	if err != nil {
		return 0, err
	}
	return pps(stats), nil
}

// peerRate is packets per second of the C loop.
func (t *track) peerRate(ctx context.Context, packets int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.peer, strconv.Itoa(t.target.Index), t.packet.Destination.String(), strconv.Itoa(packets))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(t.packet.IP()), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("run the C loop: %w", err)
	}
	var taken, refused, ns int64
	if _, err := fmt.Sscan(string(out), &taken, &refused, &ns); err != nil {
		return 0, fmt.Errorf("read what the C loop printed, %q: %w", out, err)
	}
	if taken != int64(packets) || ns <= 0 {
		return 0, fmt.Errorf("the C loop got %d of %d packets through", taken, packets)
	}
	return float64(taken) / (float64(ns) / 1e9), nil
}
