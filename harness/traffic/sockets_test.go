// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"bytes"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"skleak/scenarios"
)

// TestEachSocketSendsEachPacket sends once over a veth and reads what arrives.
func TestEachSocketSendsEachPacket(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	heard := listen(t, "v1")
	know(t, link, testHost().String())
	for _, socket := range scenarios.Sockets() {
		for _, spec := range Specs() {
			for _, iface := range []string{scenarios.InterfaceMulticastIf, scenarios.InterfacePktInfo} {
				t.Run(socket+"/"+spec.Name+"/"+iface, func(t *testing.T) {
					cfg := Config{Socket: socket, Spec: spec, Targets: []Target{link}, Interface: iface}
					if !spec.Multicast() {
						cfg.Destination = testHost()
					}
					stats := mustRun(t, mustOpen(t, cfg, false), Plan{Count: 1})
					if stats.Sent != 1 || len(stats.Refused) > 0 || stats.Stopped != ByCount {
						t.Fatalf("%+v", stats)
					}
					checkArrived(t, heard.next(), socket, mustBuild(t, spec, nil, nil))
				})
			}
		}
	}
	heard.quiet()
}

func checkArrived(t *testing.T, frame []byte, socket string, p Packet) {
	t.Helper()
	got := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	ip, ok := got.NetworkLayer().(*layers.IPv4)
	if !ok {
		t.Fatalf("no IP packet: %v", got)
	}
	if ip.TTL != p.Spec.TTL || ip.TOS != p.Spec.TOS || !ip.SrcIP.Equal(testSource().AsSlice()) || !ip.DstIP.Equal(p.Destination.AsSlice()) {
		t.Errorf("arrived with TTL %d, TOS %#x, from %s to %s", ip.TTL, ip.TOS, ip.SrcIP, ip.DstIP)
	}
	if (len(ip.Options) > 0) != p.Spec.RouterAlert {
		t.Errorf("IP options %v", ip.Options)
	}
	if got := internetChecksum(ip.Contents); got != 0 {
		t.Errorf("IP checksum off by %#x", got)
	}
	if socket != scenarios.SocketUDP {
		if !bytes.Equal(ip.Payload, p.Body()) {
			t.Errorf("arrived\n%x\nbuilt\n%x", ip.Payload, p.Body())
		}
		return
	}
	udp, ok := got.TransportLayer().(*layers.UDP)
	if !ok || !bytes.Equal(udp.Payload, p.UDP()) || uint16(udp.DstPort) != p.Port() {
		t.Errorf("no such UDP packet: %v", got)
	}
}

func TestLinkIsChosen(t *testing.T) {
	one, two := veth(t, "v0", "v1", "10.1.0.1/24"), veth(t, "w0", "w1", "10.2.0.1/24")
	ears := map[string]*tap{one.Link: listen(t, "v1"), two.Link: listen(t, "w1")}
	for _, socket := range scenarios.Sockets() {
		for _, iface := range []string{scenarios.InterfaceMulticastIf, scenarios.InterfacePktInfo} {
			for _, perLink := range []bool{false, true} {
				t.Run(socket+"/"+iface, func(t *testing.T) {
					cfg := Config{Socket: socket, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{one, two}, Interface: iface}
					s := mustOpen(t, cfg, perLink)
					stats := mustRun(t, s, Plan{Count: 10, Style: scenarios.StyleSendFirst})
					if want := map[bool]int{false: 1, true: 2}[perLink]; len(stats.Sockets) != want || stats.Sent != 10 {
						t.Fatalf("%+v", stats)
					}
					for _, link := range cfg.Targets {
						for range 5 {
							got := gopacket.NewPacket(ears[link.Link].next(), layers.LayerTypeEthernet, gopacket.Default)
							if src := got.NetworkLayer().NetworkFlow().Src().String(); src != link.Source.String() {
								t.Errorf("%s heard %s", link.Link, src)
							}
						}
						ears[link.Link].quiet()
					}
				})
			}
		}
	}
}

func TestBareLink(t *testing.T) {
	link, device := tun(t, "t0", "10.3.0.1/24")
	if link.ethernet() {
		t.Fatalf("a TUN of type %d", link.HardwareType)
	}
	for _, socket := range scenarios.Sockets() {
		t.Run(socket, func(t *testing.T) {
			spec := mustLookup(t, "rip")
			mustRun(t, mustOpen(t, Config{Socket: socket, Spec: spec, Targets: []Target{link}}, false), Plan{Count: 1})
			buf := make([]byte, 1<<16)
			n, err := device.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got := gopacket.NewPacket(buf[:n], layers.LayerTypeIPv4, gopacket.Default)
			p, err := Build(spec, link.Source, spec.Destination, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.NetworkLayer() == nil || !bytes.HasSuffix(buf[:n], p.UDP()) {
				t.Errorf("the TUN gave %x", buf[:n])
			}
		})
	}
}

func TestSndBuf(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	for asked, want := range map[int]int{10_000: 20_000, 100_000: 200_000} {
		for _, socket := range scenarios.Sockets() {
			s := mustOpen(t, Config{Socket: socket, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{link}, SndBuf: asked}, false)
			got, err := s.Senders()[0].SndBuf()
			if err != nil || got != want {
				t.Errorf("%s asked for %d got %d, %v", socket, asked, got, err)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	hello := mustLookup(t, "ospf-hello")
	tests := []struct {
		name string
		cfg  Config
	}{
		{"no link", Config{Socket: scenarios.SocketRaw, Spec: hello}},
		{"unknown socket", Config{Socket: "tcp", Spec: hello, Targets: []Target{link}}},
		{"no destination", Config{Socket: scenarios.SocketRaw, Spec: mustLookup(t, "icmp-echo"), Targets: []Target{link}}},
		{"a link that is gone", Config{Socket: scenarios.SocketRaw, Spec: hello, Targets: []Target{{Link: "gone", Index: 4711}}}},
	}
	for _, tt := range tests {
		for _, perLink := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				s, err := OpenStream(tt.cfg, perLink)
				if err == nil {
					t.Error("opened", s.Close())
				}
			})
		}
	}
}

// TestNothingIsReceived has a socket receive its own protocol without charge.
func TestNothingIsReceived(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	far, err := FindTarget("v1", group(10, 1, 0, 9))
	if err != nil {
		t.Fatal(err)
	}
	for _, socket := range scenarios.Sockets() {
		t.Run(socket, func(t *testing.T) {
			spec := mustLookup(t, "icmp-echo-multicast")
			deaf := mustOpen(t, Config{Socket: socket, Spec: spec, Targets: []Target{link}}, false)
			loud := mustOpen(t, Config{Socket: scenarios.SocketPacket, Spec: spec, Targets: []Target{far}}, false)
			mustRun(t, loud, Plan{Count: 100})
			(&tap{t: t, fd: deaf.Senders()[0].FD()}).quiet()
		})
	}
}
