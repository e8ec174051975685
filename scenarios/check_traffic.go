// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"time"
)

const (
	maxDuration = 24 * time.Hour
	// MaxSndBuf is INT_MAX / 2, as sock_set_sndbuf (net/core/sock.c) doubles it.
	MaxSndBuf = maxInt32 / 2
)

func checkTraffic(s Scenario) error {
	checks := []func(Traffic) error{checkWords, checkPacketBytes, checkPace}
	for _, check := range checks {
		if err := check(s.Traffic); err != nil {
			return under("traffic", err)
		}
	}
	return checkVia(s)
}

func checkWords(t Traffic) error {
	if err := oneOf("socket", "socket", t.Socket, Sockets()...); err != nil {
		return err
	}
	if err := oneOf("packet", "packet", t.Packet, Packets()...); err != nil {
		return err
	}
	if t.Socket == SocketUDP && t.Packet != "rip" && t.Packet != "mdns" {
		return wrong("packet", "a UDP socket cannot send "+t.Packet, "use packet rip or mdns, or another socket")
	}
	if err := oneOf("interface", "way to choose the interface", t.Interface, InterfaceMulticastIf, InterfacePktInfo); err != nil {
		return err
	}
	if t.To != "" && !isAddress(t.To) {
		return wrong("to", shown(t.To)+" is no IP address", "write it like 10.9.9.2")
	}
	return oneOf("style", "style", t.Style, StylePollFirst, StyleSendFirst)
}

func checkPacketBytes(t Traffic) error {
	if t.Size != nil && (*t.Size < 0 || *t.Size > MaxSize) {
		return wrong("size", fmt.Sprintf("size of %d bytes", *t.Size), fmt.Sprintf("give 0 to %d", MaxSize))
	}
	if len(t.Payload) > MaxSize {
		return wrong("payload", fmt.Sprintf("a payload over %d bytes", MaxSize), "shorten it")
	}
	if t.SndBuf < 0 || t.SndBuf > MaxSndBuf {
		return wrong("sndbuf", fmt.Sprintf("send buffer of %d bytes", t.SndBuf), fmt.Sprintf("give 1 to %d, or leave it out", MaxSndBuf))
	}
	return nil
}

func checkPace(t Traffic) error {
	if t.Rate != 0 {
		if err := checkRate(t.Rate); err != nil {
			return wrong("rate", fmt.Sprintf("rate %v: %v", t.Rate, err), "write packets per second like 250 or 1/10s, or max")
		}
	}
	if t.Burst < 0 || t.Burst > MaxCount {
		return wrong("burst", fmt.Sprintf("burst of %d", t.Burst), fmt.Sprintf("give 1 to %d packets, or leave it out", MaxCount))
	}
	if t.Count < 0 || t.Count > MaxCount {
		return wrong("count", fmt.Sprintf("count of %d", t.Count), fmt.Sprintf("give 1 to %d packets", MaxCount))
	}
	if t.Duration < 0 || t.Duration > maxDuration {
		return wrong("duration", fmt.Sprintf("duration of %v", t.Duration), fmt.Sprintf("give at most %v", maxDuration))
	}
	if t.Count == 0 && t.Duration == 0 {
		return wrong("count", "traffic without an end", fmt.Sprintf("give a count of 1 to %d, or a duration", MaxCount))
	}
	return nil
}

func checkVia(s Scenario) error {
	if len(s.Traffic.Via) == 0 {
		return wrong("traffic.via", "no link to send through", "name one in the sandbox's own namespace")
	}
	if len(s.Traffic.Via) > maxLinks {
		return wrong("traffic.via", fmt.Sprintf("%d links to send through", len(s.Traffic.Via)), fmt.Sprintf("name at most %d", maxLinks))
	}
	seen := map[string]bool{}
	for i, name := range s.Traffic.Via {
		at := "traffic.via"
		if len(s.Traffic.Via) > 1 {
			at = index(at, i)
		}
		if !hasLink(s.Links, "", name) {
			return noLink(at, "", name, s.Links)
		}
		if seen[name] {
			return wrong(at, shown(name)+" is there twice", "name each link once")
		}
		seen[name] = true
	}
	return nil
}
