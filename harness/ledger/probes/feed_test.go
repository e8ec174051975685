// SPDX-License-Identifier: GPL-2.0-only

package probes

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

// rawOf is b as the ring gives it.
func rawOf(t testing.TB, b bpfEvent) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := binary.Write(&buf, binary.NativeEndian, b); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func devOf(name string) (dev [16]int8) {
	for i, c := range []byte(name) {
		dev[i] = int8(c)
	}
	return dev
}

func TestParse(t *testing.T) {
	addr := netip.MustParseAddr("fe80::7")
	tests := []struct {
		name string
		raw  bpfEvent
		want Event
	}{
		{
			"a charge", bpfEvent{Kind: uint32(Charge), At: 5, Skb: 0xffff888000001000, Truesize: 768, Len: 64, Pid: 7, Tid: 8, Cpu: 1},
			Event{Kind: Charge, At: 5, Skb: 0xffff888000001000, Truesize: 768, Len: 64, PID: 7, TID: 8, CPU: 1},
		},
		{"a clone", bpfEvent{Kind: uint32(Clone), Skb: 2, Parent: 1}, Event{Kind: Clone, Skb: 2, Parent: 1}},
		{"a queue", bpfEvent{Kind: uint32(NFQueue), Skb: 2, Queue: 65535}, Event{Kind: NFQueue, Skb: 2, Queue: 65535}},
		{
			"an IPv4 neighbour", bpfEvent{Kind: uint32(Neighbour), Skb: 1, Family: familyIPv4, Ifindex: 3, Dev: devOf("v0"), Addr: [16]uint8{10, 9, 9, 2, 0xff}},
			Event{Kind: Neighbour, Skb: 1, Ifindex: 3, Dev: "v0", Addr: netip.MustParseAddr("10.9.9.2")},
		},
		{
			"an IPv6 neighbour, the longest name", bpfEvent{Kind: uint32(Neighbour), Family: 10, Dev: devOf("abcdefghijklmno"), Addr: addr.As16()},
			Event{Kind: Neighbour, Dev: "abcdefghijklmno", Addr: addr},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := parse(rawOf(t, tt.raw)); err != nil || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
	for name, raw := range map[string][]byte{
		"empty": nil, "cut": rawOf(t, bpfEvent{Kind: uint32(Charge)})[:80],
		"no kind": rawOf(t, bpfEvent{}), "another's kind": rawOf(t, bpfEvent{Kind: 99}),
	} {
		if e, err := parse(raw); err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(rawOf(f, bpfEvent{Kind: uint32(Neighbour), Family: familyIPv4, Dev: devOf("v0")}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := parse(raw)
		if err == nil && (e.Kind < Charge || e.Kind > Reading || len(e.Dev) > 16 || strings.ContainsRune(e.Dev, 0)) {
			t.Errorf("%x gives %+v", raw, e)
		}
	})
}
