// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// BenchmarkSend shows that sending allocates nothing; package bench compares
// its speed.
func BenchmarkSend(b *testing.B) {
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}
	if err := netlink.LinkAdd(link); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := netlink.LinkDel(link); err != nil {
			b.Error(err)
		}
	}()
	for _, name := range []string{"v0", "v1"} {
		dev, err := netlink.LinkByName(name)
		if err != nil {
			b.Fatal(err)
		}
		if err := netlink.LinkSetUp(dev); err != nil {
			b.Fatal(err)
		}
	}
	target, err := FindTarget("v0", netip.Addr{})
	if err != nil {
		b.Fatal(err)
	}
	spec, err := Lookup("ospf-hello")
	if err != nil {
		b.Fatal(err)
	}
	for _, style := range []string{scenarios.StyleSendFirst, scenarios.StylePollFirst} {
		b.Run(style, func(b *testing.B) {
			s, err := OpenStream(Config{Socket: scenarios.SocketHdrIncl, Spec: spec, Targets: []Target{target}}, false)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			if _, err := s.Run(b.Context(), Plan{Count: b.N, Style: style}, nil); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}
