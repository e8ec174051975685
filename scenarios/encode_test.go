// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

// maker makes random scenarios that Check takes.
type maker struct{ *rand.Rand }

func (m maker) maybe() bool { return m.IntN(2) == 0 }

func pick[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

func (m maker) scenario(n int) Scenario {
	s := Scenario{
		Name:       fmt.Sprintf("family-%d/case.%d", m.IntN(9), n),
		About:      pick(m, "", "plain", "yes", "null", "1e3", "- a: b #c", "it's \"quoted\" \\n", "~", "trailing ", "0x10", "é: ü", "{a", "*x", "=", "<<", "a:", ".nan", "2001-01-01", " x", "?", "- x", "%a", "@a", "`a", "|", ">", "!", "&a", "a #b", "# c", "''"),
		Namespaces: []Namespace{{Name: "far", Forward: m.maybe()}},
		Expect:     []record.Verdict{record.Clean},
		IPv6:       m.maybe(),
		Lasting:    m.maybe(),
		Control:    pick(m, NotControl, ControlMustHold, ControlMustNot),
	}
	if m.maybe() {
		s.Expect = record.Verdicts()[:1+m.IntN(8)]
		s.Known = &record.Known{
			Verdict: record.Leaked, Holder: pick(m, "driver of *", "not known"), FixedIn: []record.FixedIn{"6.10", "7.3-rc7"},
			Kernels: pick(m, nil, []record.Series{"6.10"}, []record.Series{"5.10..6.20", "7.3"}), FixedBy: pick(m, "", "1234567", "12345e7", "00000000"), CVE: pick(m, "", "CVE-2025-1234"),
		}
		p := time.Duration(m.Int64N(int64(time.Minute)))
		s.Patience = &p
	}
	if s.Control == ControlMustHold {
		s.Shows = &Shows{Holder: "qdisc tbf on v0", ReleasedBy: "qdisc deleted", Passes: m.IntN(2)}
	}
	s.Links = append(m.links(), Link{Common: m.common("last"), Options: &DummyOptions{}})
	s.Traffic = m.traffic()
	s.Routes = []Route{{To: pick(m, "default", "10.0.0.0/8"), Via: "10.9.9.2", Link: "last"}}
	s.Filters = []Filter{{Hook: "output", Action: "drop"}, {Hook: "forward", Link: "last", Action: "nfqueue", Queue: m.IntN(65536), Listener: &Listener{}}}
	s.Filters[1].Listener = pick(m, nil, &Listener{}, &Listener{Verdict: "none", Keep: []int{1, 77}, MaxLen: m.IntN(99)})
	return s
}

func (m maker) common(name string) Common {
	c := Common{Name: name, Down: m.maybe(), PacketSocket: pick(m, NoPacketSocket, UnreadPacketSocket, DrainPacketSocket)}
	c.MTU = pick(m, 0, 68, 1500, 65535)
	c.MAC = pick(m, "", "02:00:00:00:00:01", "10:20:30:40:50:60")
	c.Addresses = pick(m, nil, []string{"10.9.9.1/24"}, []string{"10.9.9.1/24", "10.9.8.1/24"})
	c.Neighbours = pick(m, nil, []Neighbour{{"10.9.9.2", "11:22:33:44:55:56"}})
	if m.maybe() {
		n := m.IntN(5)
		c.TxQueueLen = &n
		c.Qdisc = &Qdisc{pick(m, m.qdiscs()...)}
	}
	return c
}

func (m maker) qdiscs() []QdiscOptions {
	return []QdiscOptions{
		&PlugOptions{Limit: m.IntN(maxInt32)},
		&TbfOptions{Rate: 8 + m.Uint64(), Burst: 1 + m.IntN(9), Limit: 1 + m.IntN(maxInt32)},
		&HtbOptions{Rate: 8 + m.Uint64N(1e9), Burst: 1 + m.IntN(9)},
		&NetemOptions{Delay: time.Duration(m.IntN(1e9)), Jitter: time.Duration(m.IntN(1e9)), Loss: m.Float64() * 100, Rate: m.Uint64(), Limit: m.IntN(9)},
		&FqOptions{Limit: m.IntN(9), MaxRate: m.Uint64()},
		&FqCodelOptions{Limit: m.IntN(9)},
		&PfifoOptions{Limit: m.IntN(9)},
	}
}

// links has every kind once, so that a kind whose keys get lost is found.
func (m maker) links() []Link {
	peer := m.common("v1")
	peer.Netns = pick(m, "", "far")
	all := []LinkOptions{
		&VethOptions{Peer: peer},
		&TunOptions{Reader: m.reader(), Queues: m.IntN(4), Backpressure: m.maybe()},
		&TapOptions{TunOptions{Reader: m.reader(), Queues: m.IntN(4)}},
		&IodineOptions{}, &DummyOptions{}, &IfbOptions{}, &NlmonOptions{}, &BridgeOptions{},
		&VlanOptions{Parent: "k0", ID: 1 + m.IntN(4094)},
		&MacvlanOptions{Parent: "k0", Mode: pick(m, "", "vepa")},
		&MacvtapOptions{MacvlanOptions{Parent: "k0", Mode: pick(m, "", "private")}, m.reader()},
		&IpvlanOptions{Parent: "k0", Mode: pick(m, "", "l3s")},
		&BondOptions{Mode: pick(m, "", "broadcast")},
		&TeamOptions{Mode: pick(m, "", "broadcast"), Disabled: pick(m, nil, []string{"port"})},
		&VxlanOptions{Parent: pick(m, "", "k0"), ID: m.IntN(9), Remote: pick(m, "", "10.9.9.2"), Local: pick(m, "", "10.9.9.1"), Port: m.IntN(9)},
		&GeneveOptions{Parent: pick(m, "", "k0"), ID: m.IntN(9), Remote: "10.9.9.2"},
		&GreOptions{Parent: pick(m, "", "k0"), Remote: "10.9.9.2"},
		&GretapOptions{GreOptions{Local: pick(m, "", "10.9.9.1")}},
		&IpipOptions{GreOptions{Parent: pick(m, "", "k0")}},
		&WireguardOptions{Parent: pick(m, "", "k0"), Endpoint: "10.9.9.2:51820"},
		&VrfOptions{Table: 1 + m.IntN(9)},
		&MacsecOptions{Parent: "k0"},
		&XfrmOptions{Parent: pick(m, "", "k0"), ID: 1 + m.IntN(9)},
	}
	var out []Link
	team := ""
	for i, o := range all {
		l := Link{Common: m.common(fmt.Sprintf("k%d", i)), Options: o}
		if o.Kind() == "iodine" {
			l.Addresses = []string{"10.9.7.1/27"}
		}
		if o.Kind() == "team" {
			team = l.Name
		}
		out = append(out, l)
	}
	return append(out, Link{Common: Common{Name: "port", Master: team}, Options: &DummyOptions{}})
}

func (m maker) reader() Reader {
	return pick(m, Reader{}, Reader{Mode: ReaderNone}, Reader{Mode: ReaderDrain},
		Reader{Mode: ReaderSlow, PPS: MinRate + m.Float64()*1000}, Reader{Mode: ReaderStop, After: 1 + m.IntN(99)})
}

func (m maker) traffic() Traffic {
	t := Traffic{
		Socket: pick(m, SocketHdrIncl, SocketRaw, SocketPacket, SocketPacketDgram),
		Packet: pick(m, Packets()...),
		To:     pick(m, "", "10.9.9.2"),
		Via:    pick(m, []string{"last"}, []string{"k0", "last"}), PerLink: m.maybe(),
		Interface: pick(m, InterfaceMulticastIf, InterfacePktInfo),
		Style:     pick(m, StylePollFirst, StyleSendFirst),
		SndBuf:    m.IntN(MaxSndBuf), Rate: pick(m, 0, MinRate, MaxRate, MinRate+m.Float64()),
		Burst: m.IntN(9), Count: m.IntN(MaxCount), Duration: time.Duration(1 + m.Int64N(int64(maxDuration))),
	}
	if m.maybe() {
		n := m.IntN(MaxSize)
		t.Size = &n
		t.Payload = make([]byte, m.IntN(40))
		for i := range t.Payload {
			t.Payload[i] = byte(m.Uint32())
		}
	}
	return t
}

func TestEncodeRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		want := []Scenario{m.scenario(0), m.scenario(1)}
		for _, s := range want {
			if err := s.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		var file bytes.Buffer
		if err := Encode(&file, want); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		text := file.String()
		got, err := Decode("mine.yaml", &file)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("seed %d: %s\n%s", seed, cmp.Diff(want, got), text)
		}
	}
}

func TestEncodeLargestPayload(t *testing.T) {
	s := maker{rand.New(rand.NewPCG(1, 1))}.scenario(0)
	s.Traffic.Payload = make([]byte, MaxSize)
	var file bytes.Buffer
	if err := Encode(&file, []Scenario{s}); err != nil {
		t.Fatal(err)
	}
	got, err := Decode("mine.yaml", &file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got[0], s) {
		t.Error("it came back changed")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestEncodeReportsTheWriter(t *testing.T) {
	if err := Encode(brokenWriter{}, nil); err == nil {
		t.Error("no error")
	}
}
