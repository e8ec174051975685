// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"skleak/internal/testkit"
	"skleak/scenarios"
)

func testSource() netip.Addr { return group(10, 1, 0, 1) }

func testHost() netip.Addr { return group(10, 1, 0, 2) }

// mustBuild builds a packet from the test's source, to the test's host where
// the packet has no destination of its own.
func mustBuild(t *testing.T, spec Spec, size *int, payload []byte) Packet {
	t.Helper()
	dst := spec.Destination
	if !dst.IsValid() {
		dst = testHost()
	}
	p, err := Build(spec, testSource(), dst, size, payload)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTableIsTheCatalogue(t *testing.T) {
	var names []string
	for _, s := range Specs() {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, scenarios.Packets()) {
		t.Errorf("packets here %v, in scenarios %v", names, scenarios.Packets())
	}
}

func TestLookupUnknown(t *testing.T) {
	for name, near := range map[string]string{"osfp-helo": "ospf-hello", "": "mdns", "icmp": "icmp-echo", "PIM": "pim-hello"} {
		_, err := Lookup(name)
		if err == nil {
			t.Errorf("%q was found", name)
			continue
		}
		if !strings.Contains(err.Error(), near) {
			t.Errorf("%q: %v does not name %s", name, err, near)
		}
	}
}

func TestGolden(t *testing.T) {
	for _, spec := range Specs() {
		t.Run(spec.Name, func(t *testing.T) {
			got := hex.Dump(mustBuild(t, spec, nil, nil).IP())
			testkit.Golden(t, filepath.Join("testdata", spec.Name+".hex"), got)
		})
	}
}

// decoded is what gopacket knows each packet as, above IP.
func decoded() map[string]gopacket.LayerType {
	return map[string]gopacket.LayerType{
		"ospf-hello": layers.LayerTypeOSPF, "vrrp": layers.LayerTypeVRRP, "igmp-report": layers.LayerTypeIGMP,
		"rip": layers.LayerTypeUDP, "mdns": layers.LayerTypeUDP,
		"icmp-echo": layers.LayerTypeICMPv4, "icmp-echo-multicast": layers.LayerTypeICMPv4,
	}
}

func TestDecodes(t *testing.T) {
	for _, spec := range Specs() {
		t.Run(spec.Name, func(t *testing.T) {
			p := mustBuild(t, spec, nil, nil)
			got := gopacket.NewPacket(p.IP(), layers.LayerTypeIPv4, gopacket.Default)
			checkIP(t, got, p)
			if want, ok := decoded()[spec.Name]; ok && got.Layer(want) == nil {
				t.Errorf("no layer %v in\n%v", want, got)
			}
			if fail := got.ErrorLayer(); fail != nil && decoded()[spec.Name] != 0 {
				t.Error(fail.Error())
			}
			checkSummed(t, p)
		})
	}
}

func checkIP(t *testing.T, got gopacket.Packet, p Packet) {
	t.Helper()
	ip, ok := got.NetworkLayer().(*layers.IPv4)
	if !ok {
		t.Fatalf("no IP header in %v", got)
	}
	if ip.TTL != p.Spec.TTL || ip.TOS != p.Spec.TOS || uint8(ip.Protocol) != p.Spec.Protocol {
		t.Errorf("TTL %d, TOS %#x, protocol %d of %s", ip.TTL, ip.TOS, ip.Protocol, p.Spec.Name)
	}
	if ip.DstIP.String() != p.Destination.String() || ip.SrcIP.String() != p.Source.String() {
		t.Errorf("from %s to %s", ip.SrcIP, ip.DstIP)
	}
	if int(ip.Length) != len(p.IP()) || (len(ip.Options) > 0) != p.Spec.RouterAlert {
		t.Errorf("length %d of %d, options %v", ip.Length, len(p.IP()), ip.Options)
	}
}

func TestHelloFields(t *testing.T) {
	p := gopacket.NewPacket(mustBuild(t, mustLookup(t, "ospf-hello"), nil, nil).IP(), layers.LayerTypeIPv4, gopacket.Default)
	ospf, ok := p.Layer(layers.LayerTypeOSPF).(*layers.OSPFv2)
	if !ok {
		t.Fatal(p)
	}
	hello, ok := ospf.Content.(layers.HelloPkgV2)
	if !ok {
		t.Fatalf("content %T", ospf.Content)
	}
	if len(hello.NeighborID) != 1 || hello.HelloInterval != 10 || ospf.AreaID != 0 || ospf.PacketLength != 48 {
		t.Errorf("%+v %+v", ospf, hello)
	}
	if ospf.RouterID != 0x0a010001 {
		t.Errorf("router id %#x is not the source", ospf.RouterID)
	}
}

func TestMdnsAsksForAllServices(t *testing.T) {
	p := mustBuild(t, mustLookup(t, "mdns"), nil, nil)
	// gopacket takes only port 53 for DNS.
	var dns layers.DNS
	if err := dns.DecodeFromBytes(p.UDP(), gopacket.NilDecodeFeedback); err != nil {
		t.Fatal(err)
	}
	if len(dns.Questions) != 1 || string(dns.Questions[0].Name) != "_services._dns-sd._udp.local" || dns.Questions[0].Type != layers.DNSTypePTR {
		t.Errorf("%+v", dns)
	}
}
