// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/scenarios"
)

// words are 32-bit words as the kernel writes them.
func words(ws ...uint32) (b []byte) {
	for _, w := range ws {
		b = binary.NativeEndian.AppendUint32(b, w)
	}
	return b
}

// attribute is one netlink attribute.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	return append(binary.NativeEndian.AppendUint16(b, kind), value...)
}

// Several queues become the one that matters.
func TestQueueOfTrees(t *testing.T) {
	const h1, h2, h3 = 1 << 16, 2 << 16, 3 << 16
	pfifo := func(limit uint32, handle, parent uint32) Qdisc {
		return Qdisc{Link: 1, Kind: "pfifo", Handle: handle, Parent: parent, Options: words(limit)}
	}
	htb := func(class uint32) Qdisc {
		return Qdisc{Link: 1, Kind: "htb", Handle: h1, Parent: handleRoot, Options: attribute(htbInit, words(3, 10, class))}
	}
	classes := []Class{
		{Link: 1, Kind: "htb", Handle: h1 | 1, Parent: h1, Rate: 125_000, Ceil: 125_000, Buffer: 250_000},
		{Link: 1, Kind: "htb", Handle: h1 | 0x10, Parent: h1 | 1, Rate: 1000, Ceil: 1_000_000, Buffer: 15_625_000},
		{Link: 1, Kind: "htb", Handle: h1 | 0x20, Parent: h1 | 1, Rate: 9, Ceil: 9, Buffer: 1},
	}
	pfifoOf := func(limit int) *scenarios.Qdisc {
		return &scenarios.Qdisc{Options: &scenarios.PfifoOptions{Limit: limit}}
	}
	for _, c := range []struct {
		name   string
		facts  Facts
		link   Link
		want   *scenarios.Qdisc
		remark string
	}{
		{"the kernel's default", Facts{Qdiscs: []Qdisc{{Link: 1, Kind: "fq_codel", Parent: handleRoot}}}, Link{Index: 1, Kind: "tun"}, nil, "default"},
		{"no queue", Facts{Qdiscs: []Qdisc{{Link: 1, Kind: "noqueue", Parent: handleRoot}}}, Link{Index: 1, Kind: "veth"}, nil, ""},
		{"another link's", Facts{Qdiscs: []Qdisc{pfifo(7, h1, handleRoot)}}, Link{Index: 2, Kind: "veth"}, nil, ""},
		{"mq: the fullest", Facts{Qdiscs: []Qdisc{
			{Link: 1, Kind: "mq", Handle: h1, Parent: handleRoot}, pfifo(7, h2, h1|1), {Link: 1, Kind: "pfifo", Handle: h3, Parent: h1 | 2, Options: words(8), Backlog: 9},
		}}, Link{Index: 1}, pfifoOf(8), "2 queues below qdisc mq"},
		{"prio: the band of ordinary packets", Facts{Qdiscs: []Qdisc{
			{Link: 1, Kind: "prio", Handle: h1, Parent: handleRoot, Options: append(words(3), 1, 2)}, pfifo(7, h2, h1|1), pfifo(8, h3, h1|2),
		}}, Link{Index: 1}, pfifoOf(8), "qdisc prio: only"},
		{"htb: at what its parents allow", Facts{Qdiscs: []Qdisc{htb(0x10), pfifo(5, h2, h1|0x10), pfifo(6, h3, h1|0x20)}, Classes: classes}, Link{Index: 1},
			&scenarios.Qdisc{Options: &scenarios.HtbOptions{Rate: 1_000_000, Burst: 1000, Leaf: pfifoOf(5)}}, "3 classes of qdisc htb"},
		{"htb: nobody's packets pass", Facts{Qdiscs: []Qdisc{htb(0)}, Classes: classes}, Link{Index: 1}, nil, "pass it unshaped"},
		{"unknown", Facts{Qdiscs: []Qdisc{{Link: 1, Kind: "hfsc", Handle: h1, Parent: handleRoot}}}, Link{Index: 1}, nil, "qdisc hfsc: no scenario has it"},
		{"ingress", Facts{Qdiscs: []Qdisc{{Link: 1, Kind: "ingress", Handle: 0xffff0000, Parent: handleIngress}}}, Link{Index: 1}, nil, "at its ingress"},
		{"below itself", Facts{Qdiscs: []Qdisc{{Link: 1, Kind: "mq", Handle: h1, Parent: handleRoot}, {Link: 1, Kind: "mq", Handle: h1, Parent: h1 | 1}}}, Link{Index: 1}, nil, "mq"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := maker{facts: c.facts, names: map[int]string{1: "v0", 2: "v1"}, said: map[string]bool{}}
			got := m.queue(c.link, c.link.Kind != "")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if all := strings.Join(m.remarks, "; "); !strings.Contains(all, c.remark) || c.remark == "" && all != "" {
				t.Errorf("remarks %q, want %q", all, c.remark)
			}
		})
	}
}
