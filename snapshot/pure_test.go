// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/scenarios"
)

// facts makes random ones, likely and absurd.
type facts struct{ *rand.Rand }

func pick[T any](r facts, of ...T) T { return of[r.IntN(len(of))] }

func (r facts) maybe() bool { return r.IntN(2) == 0 }

func (r facts) make(raw []byte) Facts {
	f := Facts{Kernel: pick(r, "6.12.1", "", "x\ny: \x1b[1m", strings.Repeat("é", 300))}
	n := 1 + r.IntN(12)
	for i := range n {
		f.Links = append(f.Links, r.link(i+1, n))
	}
	for range r.IntN(2 * n) {
		f.Qdiscs = append(f.Qdiscs, r.qdisc(n, raw))
		f.Classes = append(f.Classes, Class{
			Link: r.IntN(n + 2), Kind: "htb", Handle: r.handle(), Parent: r.handle(),
			Rate: r.number(), Ceil: r.number(), Buffer: r.Uint32(), Leaf: r.handle(),
		})
		f.Neighbours = append(f.Neighbours, Neighbour{r.IntN(n + 2), r.address(), r.mac(), pick(r, "STALE", "FAILED", "PERMANENT", "NONE", "")})
		f.Routes = append(f.Routes, Route{r.network(), r.address(), r.IntN(n + 2), r.IntN(3)})
		f.Rules = append(f.Rules, Rule{
			pick(r, "table ip a, chain b", "# x\n- y"), pick(r, "output", "postrouting", "ingress", ""), pick(r, "", f.Links[0].Name, "gone"),
			pick(r, "drop", "nfqueue", "reject"), pick(r, 0, 7, 65535), pick(r, "", "only some packets"),
		})
		f.Queues = append(f.Queues, Queue{pick(r, 0, 7), r.IntN(3)})
	}
	if r.maybe() {
		f.Unread = []string{"netfilter rules: \r\nno: [] {}"}
	}
	return f
}

func (r facts) link(index, links int) Link {
	kinds := []string{
		"", "veth", "veth", "tun", "tap", "dummy", "ifb", "nlmon", "bridge", "vlan", "macvlan", "macvtap", "ipvlan", "bond", "team",
		"vxlan", "geneve", "gre", "gretap", "ipip", "wireguard", "vrf", "macsec", "xfrm", "ppp", "openvswitch", "\x00",
	}
	l := Link{
		Index: index, Name: pick(r, fmt.Sprintf("l%d", index), fmt.Sprintf("l%d", index), "Eth_0", "a%d", "é", "lo", "all", "x y", "a\nb", strings.Repeat("n", 15), "", "far", "far1", "null", "1e3", "0x1"),
		Kind: pick(r, kinds...), Driver: pick(r, "", "e100", "bad\ndriver"), Ethernet: r.maybe(), Loopback: r.IntN(9) == 0,
		Up: r.IntN(5) > 0, Carrier: r.IntN(5) > 0, MTU: pick(r, 1500, 1400, 68, 9000, 0, 65536, -1), TxQueueLen: pick(r, 1000, 500, 0, -1, 1<<40),
		MAC: r.mac(), Master: r.IntN(links + 2), Lower: r.IntN(links + 2), Elsewhere: r.IntN(4) == 0,
		ID: pick(r, 0, 1, 7, 4094, 4095, 1<<24, -1), Mode: pick(r, "", "bridge", "l2", "source", "broadcast", "x"),
		Local: r.address(), Remote: pick(r, r.address(), "10.9.9.2:51820", "10.9.9.2:0"), Port: pick(r, 0, 4789, 65535, 65536, -1), Queues: pick(r, 0, 1, 4, 257, -1), Backpressure: r.maybe(),
		TxPackets: r.number(), TxDropped: r.number(), Unsaid: pick(r, nil, []string{"key", "a\nb"}),
	}
	for range r.IntN(3) {
		l.Addresses = append(l.Addresses, r.network())
	}
	return l
}

func (r facts) qdisc(links int, raw []byte) Qdisc {
	kinds := []string{
		"plug", "tbf", "htb", "netem", "fq", "fq_codel", "pfifo", "pfifo_fast", "prio", "sfq", "codel", "cake", "mq", "mqprio", "noqueue",
		"hfsc", "ingress", "clsact", "", "x\ny",
	}
	return Qdisc{
		Link: r.IntN(links + 2), Kind: pick(r, kinds...), Handle: r.handle(), Parent: pick(r, handleRoot, handleRoot, handleIngress, r.handle()),
		Options: raw, Packets: r.Uint32(), Backlog: r.Uint32(), QLen: r.Uint32(),
	}
}

func (r facts) handle() uint32 { return pick(r, 0, 1<<16, 1<<16|1, 2<<16, 1<<16|2, r.Uint32()) }
func (r facts) number() uint64 { return pick(r, 0, 1, 125, r.Uint64N(1e9), r.Uint64()) }
func (r facts) address() string {
	return pick(r, "", "10.9.9.2", "10.9.8.1", "fd00::1", "224.0.0.5", "0.0.0.0", "x", "::ffff:10.0.0.1")
}
func (r facts) network() string {
	return pick(r, "10.9.9.1/24", "10.9.8.1/24", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "127.0.0.1/8", "fd00::1/64", "x", "10.9.9.1/24\n")
}
func (r facts) mac() string {
	return pick(r, "", "02:00:00:00:00:01", "01:00:5e:00:00:05", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:00:00:00:fe:80:00:00", "x")
}

// readsBack checks that a file decodes to just the scenarios of s, and says how many.
func readsBack(t *testing.T, s Snapshot) int {
	t.Helper()
	var file bytes.Buffer
	err := s.Write(&file)
	if len(s.Scenarios) == 0 {
		if err == nil {
			t.Error("a file without a scenario, and no error")
		}
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	text := file.String()
	got, err := scenarios.Decode("router.yaml", &file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !reflect.DeepEqual(got, s.Scenarios) {
		t.Fatalf("%s\n%s", cmp.Diff(s.Scenarios, got), text)
	}
	return len(got)
}

func TestAnyFactsGiveAFileThatReadsBack(t *testing.T) {
	scenarios, refused := 0, 0
	for seed := range uint64(3000) {
		r := facts{rand.New(rand.NewPCG(seed, 1))}
		raw := make([]byte, r.IntN(80))
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		f := r.make(raw)
		s := Make(f, nil)
		scenarios += readsBack(t, s)
		for _, left := range s.Left {
			if strings.Contains(left, "no scenario can say it") {
				refused++
			}
		}
		hidden, err := Anonymise(f)
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, Make(hidden, nil))
	}
	if scenarios < 1000 {
		t.Errorf("%d scenarios of 3000 hosts: next to nothing is tried", scenarios)
	}
	// Links built upon each other, which no kernel has.
	if refused > scenarios/20 {
		t.Errorf("%d links that no scenario can say beside %d", refused, scenarios)
	}
}

func FuzzMake(f *testing.F) {
	f.Add(uint64(1), []byte("\x08\x00\x01\x00\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, seed uint64, raw []byte) {
		readsBack(t, Make(facts{rand.New(rand.NewPCG(seed, 2))}.make(raw), nil))
	})
}

// host is a small router.
func host() Facts {
	return Facts{
		Kernel: "6.1.0",
		Links: []Link{
			{Index: 1, Name: "lo", Loopback: true, Up: true, Addresses: []string{"127.0.0.1/8"}, MTU: 65536},
			{Index: 2, Name: "eth0", Driver: "e100", Ethernet: true, Up: true, Carrier: true, MTU: 1500, TxQueueLen: 1000, MAC: "52:54:00:12:34:56", Addresses: []string{"192.0.2.5/24", "192.0.2.6/24"}},
			{Index: 3, Name: "dns0", Kind: "tun", Up: true, Carrier: true, MTU: 1130, TxQueueLen: 500, Queues: 1, Addresses: []string{"172.29.198.129/28"}, TxPackets: 3},
			{Index: 4, Name: "to-hq", Kind: "gre", Up: true, Carrier: true, MTU: 1476, TxQueueLen: 1000, Local: "192.0.2.5", Remote: "198.51.100.7", Addresses: []string{"10.7.0.1/30"}},
		},
		Qdiscs:     []Qdisc{{Link: 2, Kind: "pfifo_fast", Parent: handleRoot}, {Link: 3, Kind: "fq_codel", Parent: handleRoot, Packets: 139}},
		Routes:     []Route{{To: "0.0.0.0/0", Via: "192.0.2.1", Link: 2}},
		Neighbours: []Neighbour{{2, "192.0.2.1", "52:54:00:aa:bb:cc", "REACHABLE"}, {2, "192.0.2.9", "", "FAILED"}},
		Rules:      []Rule{{"table ip f, chain out", "output", "dns0", "drop", 0, "only packets that no rule before it takes"}, {"table ip f, chain out", "output", "eth0", "nfqueue", 5, ""}},
		Queues:     []Queue{{5, 12}},
	}
}

func TestMakeOfARouter(t *testing.T) {
	s := Make(host(), nil)
	readsBack(t, s)
	var names []string
	for _, sc := range s.Scenarios {
		names = append(names, sc.Name)
	}
	if diff := cmp.Diff([]string{"snapshot/eth0", "snapshot/dns0", "snapshot/to-hq"}, names); diff != "" {
		t.Fatal(diff)
	}
	eth0, dns0, gre1 := s.Scenarios[0], s.Scenarios[1], s.Scenarios[2]
	if o, ok := dns0.Links[0].Options.(*scenarios.TunOptions); !ok || o.Reader.Mode != scenarios.ReaderNone || len(dns0.Links) != 1 {
		t.Errorf("dns0, with 136 packets unread: %+v", dns0.Links)
	}
	if len(dns0.Filters) != 0 || len(eth0.Filters) != 1 || eth0.Filters[0].Listener.Verdict != "none" {
		t.Errorf("filters %+v and %+v; want the one that is about all, with a listener that gives no verdict", dns0.Filters, eth0.Filters)
	}
	if l := eth0.Links[0]; l.Kind() != "veth" || len(l.Addresses) != 2 || l.Qdisc.Kind() != "pfifo" || len(l.Neighbours) != 1 {
		t.Errorf("eth0: %+v", l)
	}
	if len(gre1.Links) != 2 || len(gre1.Routes) != 1 || gre1.Routes[0] != (scenarios.Route{To: "default", Via: "192.0.2.1", Link: "eth0"}) {
		t.Errorf("gre1: links %+v, routes %+v; want the card below it and the route to its far end", gre1.Links, gre1.Routes)
	}
	if fmt.Sprint(dns0.Expect, eth0.Expect) != "[clean] [clean held stalled refused]" {
		t.Errorf("expected %v and %v", dns0.Expect, eth0.Expect)
	}
	all := strings.Join(s.Remarks, "\n")
	for _, want := range []string{
		"eth0: a card of driver e100: here a veth stands in for it", "dns0: 136 packets wait in it", "neighbour 192.0.2.9 is FAILED",
		"table ip f, chain out: a rule with action drop: not said", "nfqueue 5: 12 packets wait",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no remark %q in\n%s", want, all)
		}
	}
}

// What is said of a TUN's reader goes by what was seen of it.
func TestReaderOfATun(t *testing.T) {
	for _, c := range []struct {
		name    string
		link    Link
		packets uint32
		want    scenarios.ReaderMode
		holds   bool
	}{
		{"all was read", Link{Carrier: true, TxPackets: 139}, 139, scenarios.ReaderDrain, false},
		{"read before its queue was set", Link{Carrier: true, TxPackets: 500}, 139, scenarios.ReaderDrain, false},
		{"nothing was sent", Link{Carrier: true}, 0, scenarios.ReaderDrain, false},
		{"nothing was read", Link{Carrier: true}, 139, scenarios.ReaderNone, false},
		{"one is left", Link{Carrier: true, TxPackets: 138}, 139, scenarios.ReaderNone, false},
		{"some were dropped", Link{Carrier: true, TxPackets: 100, TxDropped: 39}, 139, scenarios.ReaderNone, false},
		{"backpressure", Link{Carrier: true, TxPackets: 139, Backpressure: true}, 139, scenarios.ReaderDrain, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.link
			l.Index, l.Name, l.Kind, l.Up, l.MTU, l.TxQueueLen, l.Addresses = 1, "dns0", "tun", true, 1500, 500, []string{"10.9.9.1/24"}
			s := Make(Facts{Links: []Link{l}, Qdiscs: []Qdisc{{Link: 1, Kind: "fq_codel", Parent: handleRoot, Packets: c.packets}}}, nil)
			readsBack(t, s)
			o, ok := s.Scenarios[0].Links[0].Options.(*scenarios.TunOptions)
			if !ok || o.Reader.Mode != c.want || o.Backpressure != l.Backpressure {
				t.Errorf("%+v, want a reader of mode %s", s.Scenarios[0].Links[0].Options, c.want)
			}
			if holds := len(s.Scenarios[0].Expect) > 1; holds != c.holds {
				t.Errorf("expected %v", s.Scenarios[0].Expect)
			}
		})
	}
}

func TestAnonymise(t *testing.T) {
	hidden, err := Anonymise(host())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := Make(hidden, nil).Write(&file); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"eth0", "dns0", "to-hq", "192.0.2", "172.29", "198.51", "10.7.0", "52:54", "chain out"} {
		if strings.Contains(file.String(), secret) {
			t.Errorf("%s is still there:\n%s", secret, file.String())
		}
	}
	was, is := Make(host(), nil), Make(hidden, nil)
	if len(is.Scenarios) != len(was.Scenarios) || len(is.Remarks) != len(was.Remarks) {
		t.Fatalf("%d scenarios and %d remarks became %d and %d", len(was.Scenarios), len(was.Remarks), len(is.Scenarios), len(is.Remarks))
	}
	// The route to the tunnel's far end is still one through the card.
	if gre := is.Scenarios[2]; len(gre.Routes) != 1 || gre.Routes[0].Link != gre.Links[1].Name || len(gre.Links[1].Addresses) != 2 {
		t.Errorf("%+v", gre)
	}
	tunnel, ok := is.Scenarios[2].Links[0].Options.(*scenarios.GreOptions)
	if !ok || tunnel.Local+"/24" != is.Scenarios[2].Links[1].Addresses[0] {
		t.Errorf("the tunnel's own end is no address of the card any more: %+v", is.Scenarios[2].Links)
	}
}
