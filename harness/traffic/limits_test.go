// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/layers"
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// thresholds is what a full socket does on a link that lets nothing out.
type thresholds struct {
	socket, style string
	// stops is set where the kernel makes the sender wait.
	stops bool
	// least and most are the charge in the end, in tenths of sk_sndbuf.
	least, most int
}

// TestThresholds: poll says no from half the send buffer on; without asking
// poll, sends go on to about all of it, or twice that for a raw socket, which
// gets ENOBUFS and never EAGAIN.
func TestThresholds(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	for _, tt := range []thresholds{
		{scenarios.SocketHdrIncl, scenarios.StylePollFirst, true, 5, 6},
		{scenarios.SocketRaw, scenarios.StylePollFirst, true, 5, 6},
		{scenarios.SocketUDP, scenarios.StylePollFirst, true, 5, 6},
		{scenarios.SocketPacket, scenarios.StylePollFirst, true, 5, 6},
		{scenarios.SocketPacketDgram, scenarios.StylePollFirst, true, 5, 6},
		{scenarios.SocketHdrIncl, scenarios.StyleSendFirst, true, 10, 11},
		{scenarios.SocketUDP, scenarios.StyleSendFirst, true, 10, 11},
		{scenarios.SocketPacket, scenarios.StyleSendFirst, true, 10, 11},
		{scenarios.SocketRaw, scenarios.StyleSendFirst, true, 20, 21},
	} {
		t.Run(tt.socket+"/"+tt.style, func(t *testing.T) {
			stall(t, link)
			defer unstall(t, link)
			checkThresholds(t, link, tt)
		})
	}
}

func checkThresholds(t *testing.T, link Target, tt thresholds) {
	t.Helper()
	s := mustOpen(t, Config{Socket: tt.socket, Spec: mustLookup(t, "rip"), Targets: []Target{link}}, false)
	one := s.Senders()[0]
	var seen watcher
	stats, err := s.Run(t.Context(), Plan{Count: 3000, Style: tt.style, BlockLimit: 50 * time.Millisecond}, &seen)
	if err != nil {
		t.Fatal(err)
	}
	held, sndbuf := charge(one.FD()), mustSndBuf(t, one)
	if held*10 < sndbuf*tt.least || held*10 > sndbuf*tt.most {
		t.Errorf("%d bytes charged of a send buffer of %d, want %d to %d tenths", held, sndbuf, tt.least, tt.most)
	}
	if stopped := stats.Stopped == ByStall && stats.Sockets[0].Stalled && stats.Blocked > 0; stopped != tt.stops {
		t.Errorf("%+v", stats)
	}
	if refused := stats.Refused["ENOBUFS"] > 0; refused {
		t.Errorf("refused %v", stats.Refused)
	}
	// Every packet is charged the same, so the packet that crossed half is known.
	truesize := held / stats.Sent
	if want := (sndbuf/2 + truesize - 1) / truesize; stats.Sockets[0].PacketsToStall != want {
		t.Errorf("stalled after %d packets of %d bytes, want %d", stats.Sockets[0].PacketsToStall, truesize, want)
	}
	if seen.sent != stats.Sent || seen.blocked != stats.Blocked {
		t.Errorf("the observer saw %+v of %+v", seen, stats)
	}
}

// watcher is an Observer that counts.
type watcher struct{ sent, blocked int }

func (w *watcher) Sent(n int) { w.sent += n }
func (w *watcher) Blocked()   { w.blocked++ }
func (w *watcher) Waiting()   {}

func (w *watcher) Charged(int, uint32) {}

func mustSndBuf(t *testing.T, s *Sender) int {
	t.Helper()
	n, err := s.SndBuf()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// unstall lets go of all that a link's tbf holds.
func unstall(t *testing.T, link Target) {
	t.Helper()
	tbf := &netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}}
	if err := netlink.QdiscDel(tbf); err != nil {
		t.Fatalf("delete tbf: %v", err)
	}
}

// TestOneStalledSocket leaves the other one its part.
func TestOneStalledSocket(t *testing.T) {
	held, free := veth(t, "v0", "v1", "10.1.0.1/24"), veth(t, "w0", "w1", "10.2.0.1/24")
	stall(t, held)
	for _, rate := range []float64{0, 20_000} {
		s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{held, free}, SndBuf: 30_000}, true)
		stats := mustRun(t, s, Plan{Count: 2000, Rate: rate, BlockLimit: 20 * time.Millisecond})
		a, b := stats.Sockets[0], stats.Sockets[1]
		if !a.Stalled || a.PacketsToStall < 1 || a.Sent >= 1000 || b.Stalled || b.Sent != 1000 || b.PacketsToStall != -1 || stats.Stopped != ByCount {
			t.Errorf("at rate %v: %+v", rate, stats)
		}
	}
}

func TestRefusals(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	size := func(n int) *int { return &n }
	down := veth(t, "w0", "w1", "10.2.0.1/24")
	dev, err := netlink.LinkByName("w0")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetDown(dev); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		socket string
		size   *int
		link   Target
		errno  string
	}{
		{"header cut", scenarios.SocketHdrIncl, size(0), link, "EINVAL"},
		{"a byte short of a header", scenarios.SocketHdrIncl, size(19), link, "EINVAL"},
		{"over the MTU", scenarios.SocketHdrIncl, size(1501), link, "EMSGSIZE"},
		{"largest", scenarios.SocketHdrIncl, size(65535), link, "EMSGSIZE"},
		{"over the MTU", scenarios.SocketPacket, size(1600), link, "EMSGSIZE"},
		{"link down", scenarios.SocketPacket, nil, down, "ENETDOWN"},
		{"link down", scenarios.SocketHdrIncl, nil, down, "ENETUNREACH"},
	}
	for _, tt := range tests {
		for _, style := range []string{scenarios.StylePollFirst, scenarios.StyleSendFirst} {
			t.Run(tt.socket+"/"+tt.name+"/"+style, func(t *testing.T) {
				s := mustOpen(t, Config{Socket: tt.socket, Spec: mustLookup(t, "ospf-hello"), Size: tt.size, Targets: []Target{tt.link}}, false)
				stats := mustRun(t, s, Plan{Count: 500, Style: style, Backoff: true})
				if stats.Refused[tt.errno] != 500 || stats.Sent != 0 || stats.Blocked != 0 || stats.Stopped != ByCount {
					t.Errorf("%+v", stats)
				}
				if left := s.Senders()[0].DrainErrors(); len(left) > 0 {
					t.Errorf("errors left on the socket: %v", left)
				}
			})
		}
	}
}

// TestTiny sends what is left of a packet where nearly nothing is.
func TestTiny(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	heard := listen(t, "v1")
	for _, tt := range []struct {
		socket     string
		size, want int
	}{
		{scenarios.SocketRaw, 0, 20}, {scenarios.SocketRaw, 21, 21},
		{scenarios.SocketUDP, 0, 28}, {scenarios.SocketUDP, 29, 29},
		{scenarios.SocketHdrIncl, 20, 20},
		{scenarios.SocketPacket, 0, 0}, {scenarios.SocketPacket, 1, 1},
		{scenarios.SocketPacketDgram, 0, 0},
	} {
		s := mustOpen(t, Config{Socket: tt.socket, Spec: mustLookup(t, "experimental"), Size: &tt.size, Targets: []Target{link}}, false)
		if stats := mustRun(t, s, Plan{Count: 1}); stats.Sent != 1 {
			t.Errorf("%s of %d bytes: %+v", tt.socket, tt.size, stats)
			continue
		}
		if got := len(heard.next()) - ethernetHeader; got != tt.want {
			t.Errorf("%s of %d bytes arrived with %d, want %d", tt.socket, tt.size, got, tt.want)
		}
	}
}

// TestFragments: raw and UDP packets over the MTU arrive in pieces that make
// the whole.
func TestFragments(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	heard := listen(t, "v1")
	for _, socket := range []string{scenarios.SocketRaw, scenarios.SocketUDP} {
		for _, size := range []int{1501, 9000, scenarios.MaxSize} {
			s := mustOpen(t, Config{Socket: socket, Spec: mustLookup(t, "mdns"), Size: &size, Targets: []Target{link}}, false)
			if stats := mustRun(t, s, Plan{Count: 1}); stats.Sent != 1 {
				t.Errorf("%s of %d bytes: %+v", socket, size, stats)
				continue
			}
			if got := reassembled(t, heard); got != size {
				t.Errorf("%s of %d bytes arrived with %d", socket, size, got)
			}
		}
	}
}

// reassembled reads fragments until they make a packet, and gives its length.
func reassembled(t *testing.T, heard *tap) int {
	t.Helper()
	pieces := ip4defrag.NewIPv4Defragmenter()
	for range 64 {
		got := gopacket.NewPacket(heard.next(), layers.LayerTypeEthernet, gopacket.Default)
		ip, ok := got.NetworkLayer().(*layers.IPv4)
		if !ok {
			t.Fatalf("heard %v, which is no IPv4", got)
		}
		whole, err := pieces.DefragIPv4(ip)
		if err != nil {
			t.Fatal(err)
		}
		if whole != nil {
			return len(whole.Payload) + 20
		}
	}
	t.Fatal("64 fragments make no packet")
	return 0
}

func TestCancel(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	stuck := veth(t, "w0", "w1", "10.2.0.1/24")
	stall(t, stuck)
	for name, tt := range map[string]struct {
		link Target
		plan Plan
	}{
		"waiting for its time": {link, Plan{Rate: scenarios.MinRate, Count: 10}},
		"at full speed":        {link, Plan{Count: scenarios.MaxCount}},
		"blocked":              {stuck, Plan{Count: scenarios.MaxCount, BlockLimit: time.Hour}},
		"blocked, send-first":  {stuck, Plan{Count: scenarios.MaxCount, BlockLimit: time.Hour, Style: scenarios.StyleSendFirst}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{tt.link}}, false)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			stats, err := s.Run(ctx, tt.plan, nil)
			if !errors.Is(err, context.DeadlineExceeded) || stats.Stopped != ByCancel || stats.Sent == 0 {
				t.Errorf("%+v, %v", stats, err)
			}
		})
		t.Run(name+", out of time", func(t *testing.T) {
			s := mustOpen(t, Config{Socket: scenarios.SocketHdrIncl, Spec: mustLookup(t, "ospf-hello"), Targets: []Target{tt.link}}, false)
			plan := tt.plan
			plan.Count, plan.Duration = 0, 50*time.Millisecond
			stats := mustRun(t, s, plan)
			if stats.Stopped != ByDuration || stats.Sent == 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestClosedSocketIsAnError(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	for _, style := range []string{scenarios.StylePollFirst, scenarios.StyleSendFirst} {
		s := mustOpen(t, Config{Socket: scenarios.SocketRaw, Spec: mustLookup(t, "vrrp"), Targets: []Target{link}}, false)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if stats, err := s.Run(t.Context(), Plan{Count: 1, Style: style}, nil); err == nil || stats.Stopped != ByError {
			t.Errorf("%+v, %v", stats, err)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	link := veth(t, "v0", "v1", "10.1.0.1/24")
	s := mustOpen(t, Config{Socket: scenarios.SocketRaw, Spec: mustLookup(t, "vrrp"), Targets: []Target{link}}, false)
	for name, plan := range map[string]Plan{
		"no end":            {},
		"negative count":    {Count: -1},
		"absurd count":      {Count: scenarios.MaxCount + 1},
		"negative duration": {Duration: -1},
		"unknown style":     {Count: 1, Style: "slow"},
		"negative rate":     {Count: 1, Rate: -1},
		"negative burst":    {Count: 1, Rate: 1, Burst: -1},
		"negative limit":    {Count: 1, BlockLimit: -1},
	} {
		if stats, err := s.Run(t.Context(), plan, nil); err == nil {
			t.Errorf("%s: %+v", name, stats)
		}
	}
	if _, err := NewStream().Run(t.Context(), Plan{Count: 1}, nil); err == nil {
		t.Error("sent through no socket")
	}
}
