// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"skleak/scenarios"
)

func TestSizes(t *testing.T) {
	for _, spec := range Specs() {
		for _, size := range []int{0, 1, 19, 20, 24, 27, 28, 40, 100, 1500, 9000, scenarios.MaxSize} {
			p := mustBuild(t, spec, &size, nil)
			if len(p.IP()) != size {
				t.Errorf("%s of %d bytes has %d", spec.Name, size, len(p.IP()))
			}
			if want := max(size-spec.ipHeader(), 0); len(p.Body()) != want {
				t.Errorf("%s of %d bytes: body of %d, want %d", spec.Name, size, len(p.Body()), want)
			}
			if want := max(size-spec.ipHeader()-udpHeader, 0); len(p.UDP()) != want {
				t.Errorf("%s of %d bytes: UDP payload of %d, want %d", spec.Name, size, len(p.UDP()), want)
			}
			if size >= 40 {
				checkSummed(t, p)
			}
		}
	}
}

// checkSummed checks the sums of IP, UDP and ICMP of a packet of any size.
func checkSummed(t *testing.T, p Packet) {
	t.Helper()
	got := gopacket.NewPacket(p.IP(), layers.LayerTypeIPv4, gopacket.Default)
	if internetChecksum(p.IP()[:p.Spec.ipHeader()]) != 0 {
		t.Errorf("%s of %d bytes: wrong IP checksum", p.Spec.Name, len(p.IP()))
	}
	if p.Spec.header == 0 {
		return
	}
	if udp, ok := got.TransportLayer().(*layers.UDP); ok {
		if err := udp.SetNetworkLayerForChecksum(got.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
	}
	if err, wrong := got.VerifyChecksums(); err != nil || len(wrong) > 0 {
		t.Errorf("%s of %d bytes: %v %v", p.Spec.Name, len(p.IP()), err, wrong)
	}
}

func TestPaddingIsSummed(t *testing.T) {
	size := 300
	for _, name := range []string{"vrrp", "pim-hello", "igmp-report", "eigrp-hello"} {
		if b := mustBuild(t, mustLookup(t, name), &size, nil).Body(); internetChecksum(b) != 0 {
			t.Errorf("%s padded to %d bytes: wrong checksum", name, size)
		}
	}
}

func TestPayload(t *testing.T) {
	given := []byte("given by the scenario")
	for _, spec := range Specs() {
		p := mustBuild(t, spec, nil, given)
		if got := p.Body()[spec.header:]; !bytes.Equal(got, given) {
			t.Errorf("%s carries %q", spec.Name, got)
		}
		checkSummed(t, p)
		empty := mustBuild(t, spec, nil, []byte{})
		if len(empty.Body()) != spec.header {
			t.Errorf("%s without payload has a body of %d bytes", spec.Name, len(empty.Body()))
		}
		short := spec.ipHeader() + spec.header + 5
		if cut := mustBuild(t, spec, &short, given); !bytes.Equal(cut.Body()[spec.header:], given[:5]) {
			t.Errorf("%s of %d bytes carries %q", spec.Name, short, cut.Body())
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	hello, ping := mustLookup(t, "ospf-hello"), mustLookup(t, "icmp-echo")
	size := func(n int) *int { return &n }
	six := netip.MustParseAddr("fe80::1")
	tests := []struct {
		name     string
		spec     Spec
		src, dst netip.Addr
		size     *int
		payload  []byte
	}{
		{name: "negative size", spec: hello, size: size(-1)},
		{name: "size past an IP packet", spec: hello, size: size(65536)},
		{name: "no destination", spec: ping},
		{name: "IPv6 destination", spec: hello, dst: six},
		{name: "IPv6 source", spec: hello, src: six},
		{name: "payload past an IP packet", spec: hello, payload: make([]byte, 65516)},
		{name: "payload past a UDP packet", spec: mustLookup(t, "mdns"), payload: make([]byte, 65508)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Build(tt.spec, tt.src, tt.dst, tt.size, tt.payload); err == nil {
				t.Error("built")
			}
		})
	}
}

func TestFrame(t *testing.T) {
	hello := mustBuild(t, mustLookup(t, "ospf-hello"), nil, nil)
	ping := mustBuild(t, mustLookup(t, "icmp-echo"), nil, nil)
	high, err := Build(hello.Spec, testSource(), netip.MustParseAddr("239.193.7.9"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ether := Target{HardwareType: 1, HardwareAddr: []byte{2, 0, 0, 0, 0, 1}}
	known := ether
	known.NextHop = []byte{2, 0, 0, 0, 0, 2}
	tests := []struct {
		name   string
		packet Packet
		target Target
		want   string
	}{
		{"group", hello, ether, "01005e000005" + "020000000001" + "0800"},
		{"group with its high bit off", high, ether, "01005e410709" + "020000000001" + "0800"},
		{"unknown host", ping, ether, "ffffffffffff" + "020000000001" + "0800"},
		{"known host", ping, known, "020000000002" + "020000000001" + "0800"},
		{"loopback", hello, Target{HardwareType: 772}, "01005e000005" + "000000000000" + "0800"},
		{"no link header", hello, Target{HardwareType: 65534}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.packet.Frame(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			if want := append(unhex(t, tt.want), tt.packet.IP()...); !bytes.Equal(got, want) {
				t.Errorf("%x, want %x", got, want)
			}
		})
	}
}

func FuzzBuild(f *testing.F) {
	f.Add(0, 0, []byte(nil), uint32(0))
	f.Add(5, 65535, []byte("x"), uint32(0xe0000005))
	f.Fuzz(func(t *testing.T, which, size int, payload []byte, dst uint32) {
		specs := Specs()
		spec := specs[uint(which)%uint(len(specs))]
		to := group(byte(dst>>24), byte(dst>>16), byte(dst>>8), byte(dst))
		p, err := Build(spec, testSource(), to, &size, payload)
		if err != nil {
			return
		}
		if len(p.IP()) != size {
			t.Errorf("%s of %d bytes has %d", spec.Name, size, len(p.IP()))
		}
		if _, err := p.Frame(Target{HardwareType: 1}); err != nil {
			t.Error(err)
		}
		_, _ = p.Body(), p.UDP()
	})
}
