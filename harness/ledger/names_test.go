// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"net/netip"
	"slices"
	"testing"

	"skleak/record"
)

func TestNames(t *testing.T) {
	n := Names{record.State{
		Links: []record.LinkState{
			{Name: "v0", Kind: "veth", Index: 2}, {Name: "v0", Kind: "veth", Index: 5, Netns: "far"},
			{Name: "w0", Kind: "veth", Index: 6, Netns: "far"}, {Name: "t0", Kind: "tuntap", Index: 7},
			{Name: "m0", Kind: "veth", Index: 8}, {Name: "d0", Kind: "dummy", Index: 9}, {Name: "wg0", Kind: "wireguard", Index: 10},
			{Name: "br0", Kind: "bridge", Index: 11, Netns: "far", Lower: []string{"w0"}}, {Name: "vlan0", Kind: "vlan", Index: 12, Lower: []string{"d0"}},
		},
		Qdiscs: []record.QdiscState{
			{Link: "v0", Kind: "tbf", Parent: "root"}, {Link: "v0", Netns: "far", Kind: "plug", Parent: "root"},
			{Link: "w0", Netns: "far", Kind: "netem", Parent: "root"},
			{Link: "m0", Kind: "mq", Parent: "root"}, {Link: "m0", Kind: "fq_codel", Parent: "0:1"},
			{Link: "d0", Kind: "noqueue", Parent: "root"},
		},
	}}
	tests := []struct {
		place   Place
		want    string
		charged bool
	}{
		{Place{Kind: InQueue, Dev: "v0", Ifindex: 2}, "qdisc tbf on v0", true},
		{Place{Kind: Received, Dev: "w0"}, "driver of br0", true},
		{Place{Kind: Received, Dev: "d0"}, "received by d0", true},
		{Place{Kind: InQueue, Dev: "v0", Ifindex: 5}, "qdisc plug on v0 in far", true},
		{Place{Kind: InDriver, Dev: "v0"}, "driver of v0 or v0 in far", true},
		{Place{Kind: InQueue, Dev: "w0"}, "qdisc netem on w0", false},
		{Place{Kind: InQueue, Dev: "m0"}, "qdisc fq_codel on m0", true},
		{Place{Kind: InQueue, Dev: "d0"}, "d0", true},
		{Place{Kind: InDriver, Dev: "t0"}, "reader of t0", false},
		{Place{Kind: InDriver, Dev: "wg0"}, "driver of wg0", false},
		{Place{Kind: InDriver, Dev: "gone"}, "driver of gone", true},
		{Place{Kind: InQueue, Dev: "gone"}, "qdisc unknown on gone", true},
		{Place{Kind: InNeighbour, Dev: "w0", Addr: netip.MustParseAddr("10.0.0.2")}, "neighbour 10.0.0.2 on w0", true},
		{Place{Kind: InNeighbour, Dev: "v0", Ifindex: 5, Addr: netip.MustParseAddr("10.0.0.2")}, "neighbour 10.0.0.2 on v0 in far", true},
		{Place{Kind: InStack}, "the stack, before any device", true},
		{Place{Kind: InNFQueue, Queue: 3}, "nfqueue 3", true},
		{Place{Kind: InPolicy}, "the queue of an xfrm policy", true},
		{Place{}, "", false},
	}
	for _, tt := range tests {
		if got, charged := n.Place(tt.place); got != tt.want || charged != tt.charged {
			t.Errorf("%+v is %q, %t; want %q, %t", tt.place, got, charged, tt.want, tt.charged)
		}
	}
}

// What is charged is computed by place, or read from each skb.
func TestPlaces(t *testing.T) {
	n := Names{record.State{
		Links:  []record.LinkState{{Name: "t0", Kind: "tuntap", Index: 1}, {Name: "v0", Kind: "veth", Index: 2}},
		Qdiscs: []record.QdiscState{{Link: "v0", Kind: "tbf", Parent: "root"}},
	}}
	inTun, inQueue := Place{Kind: InDriver, Dev: "t0"}, Place{Kind: InQueue, Dev: "v0"}
	tests := []struct {
		name  string
		count Count
		want  []record.LedgerPlace
	}{
		{"a qdisc charges", Count{Place: inQueue, Charged: 3, Clones: 1}, []record.LedgerPlace{
			{Place: "qdisc tbf on v0", Count: 3, Charged: true, Bytes: 2496}, {Place: "qdisc tbf on v0", Count: 1},
		}},
		{"a TUN's ring does not", Count{Place: inTun, Charged: 3}, []record.LedgerPlace{{Place: "reader of t0", Count: 3}}},
		{"a TUN that keeps the charge after all", Count{Place: inTun, Read: true, Charged: 3, Bytes: 2304}, []record.LedgerPlace{
			{Place: "reader of t0", Count: 3, Charged: true, Bytes: 2304},
		}},
		{"a qdisc that let the charge go", Count{Place: inQueue, Read: true, Loose: 2, Clones: 1}, []record.LedgerPlace{
			{Place: "qdisc tbf on v0", Count: 3},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := n.Places([]Count{tt.count}, 832); !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
