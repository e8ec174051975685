// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/harness/experiment"
	"skleak/harness/verdict"
	"skleak/internal/testkit"
	"skleak/netns"
	"skleak/record"
	"skleak/record/kerneltest"
)

// probe tries links of the namespace at path and gives what was found of each, with
// the notes. On a machine with much else to do the ledger may lose samples, and then
// it is tried again.
func probe(t *testing.T, path string, count int, links ...string) (map[string]verdict.Finding, []string) {
	t.Helper()
	for try := 1; ; try++ {
		found, notes := probeOnce(t, path, count, links)
		lost := false
		for _, f := range found {
			lost = lost || incomplete(f)
		}
		if !lost || try == 3 {
			return found, notes
		}
	}
}

func incomplete(f verdict.Finding) bool { return strings.Contains(f.Reason, "ledger incomplete: ") }

func probeOnce(t *testing.T, path string, count int, links []string) (map[string]verdict.Finding, []string) {
	t.Helper()
	p := Probe{
		Self: DefaultSelf, Netns: path, Rate: 1000, Count: count,
		Options: experiment.Options{Settle: experiment.DefaultSettle, Patience: 50 * time.Millisecond, Ledger: experiment.LedgerOn},
	}
	ready, err := p.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ready.Close(); err != nil {
			t.Error(err)
		}
	}()
	found := map[string]verdict.Finding{}
	err = ready.Look(t.Context(), links, func(s Sight) bool {
		if s.Err != nil {
			t.Errorf("%s: %v", s.Link, s.Err)
		}
		if len(s.Trace.Rungs) > 0 || s.Trace.Refill != nil {
			t.Errorf("%s: something was undone: %+v", s.Link, s.Trace.Rungs)
		}
		found[s.Link] = verdict.Judge(s.Trace)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, ready.Notes
}

// mustHold checks who holds: nobody is named where there is no ledger, or none that
// accounts for all.
func mustHold(t *testing.T, f verdict.Finding, notes []string, want record.Verdict, holder string) {
	t.Helper()
	without := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "no ledger: ") })
	if without || incomplete(f) {
		holder = record.NotKnown
	}
	if f.Verdict != want || f.Holder != holder {
		t.Errorf("%s by %q: %s%s; want %s by %q; %q", f.Verdict, f.Holder, f.Reason, f.Trouble, want, holder, notes)
	}
}

// picture is what a probe must leave as it was.
func picture(t *testing.T, nl *netlink.Handle) (lines []string) {
	t.Helper()
	links, err := nl.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		a := l.Attrs()
		addrs, err := nl.AddrList(l, netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		qdiscs, err := nl.QdiscList(l)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(a.Name, a.Index, a.MTU, a.TxQLen, a.RawFlags&unix.IFF_UP, a.MasterIndex, addrs)
		for _, q := range qdiscs {
			line += fmt.Sprint(" ", q.Type(), q.Attrs().Handle)
		}
		lines = append(lines, line)
	}
	ns, err := nl.NeighList(0, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range ns {
		// Any packet to a group makes one without ARP.
		if n.State != netlink.NUD_NOARP {
			lines = append(lines, fmt.Sprint("neighbour ", n.IP, n.State))
		}
	}
	return lines
}

func TestProbeNamesWhoHoldsAndNobodyElse(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	testkit.Veth(t, nl, "v0", "v1", "10.9.9.1/24")
	testkit.Stuck(t, path, testkit.Veth(t, nl, "w0", "w1", "10.9.8.1/24"))
	before := picture(t, nl)
	found, notes := probe(t, path, 0, "v0", "w0")
	if diff := cmp.Diff(before, picture(t, nl)); diff != "" {
		t.Errorf("the probe changed something (-before +after)\n%s", diff)
	}
	if f := found["v0"]; f.Verdict != record.Clean || f.Holder != "" {
		t.Errorf("v0: %s by %q: %s%s; want clean", f.Verdict, f.Holder, f.Reason, f.Trouble)
	}
	f := found["w0"]
	mustHold(t, f, notes, record.Stalled, "qdisc tbf on w0")
	if f.ReleasedBy != "" || f.HeldBytes%f.Truesize != 0 || f.HeldBytes < f.SndBuf/2 {
		t.Errorf("w0: released by %q, %d bytes of %d each with a send buffer of %d", f.ReleasedBy, f.HeldBytes, f.Truesize, f.SndBuf)
	}
}

// Few packets do not silence a socket: held.
func TestProbeWithFewPackets(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	testkit.Stuck(t, path, testkit.Veth(t, nl, "w0", "w1", "10.9.8.1/24"))
	found, notes := probe(t, path, 20, "w0")
	mustHold(t, found["w0"], notes, record.Held, "qdisc tbf on w0")
}

// Time lets go of what waits for a tunnel's far end that does not answer.
func TestProbeOfATunnel(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	under := testkit.Veth(t, nl, "u0", "u1", "10.9.9.1/24")
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "x0"
	err := nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, VxlanId: 9, VtepDevIndex: under.Attrs().Index, Group: []byte{10, 9, 9, 2}, Port: 4789})
	if err != nil {
		kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "3.7", Options: []string{"VXLAN"}}, err)
	}
	testkit.Address(t, nl, "x0", "10.7.7.1/24")
	found, notes := probe(t, path, 40, "u0", "x0")
	mustHold(t, found["x0"], notes, record.Held, "neighbour 10.9.9.2 on u0")
	if f := found["u0"]; f.Verdict != record.Clean {
		t.Errorf("u0: %s by %q: %s; want clean", f.Verdict, f.Holder, f.Reason)
	}
}

// A TUN that nobody reads orphans what it keeps since 3.8.
func TestProbeOfAnUnreadTun(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	var tun int
	err := netns.In(path, func() (err error) {
		tun, err = openTun("t0")
		return err
	})
	if err != nil {
		kerneltest.SkipOrFail(t, kerneltest.Feature{Since: "3.8", Options: []string{"TUN"}}, err)
	}
	t.Cleanup(func() { _ = unix.Close(tun) })
	testkit.Address(t, nl, "t0", "10.6.6.1/24")
	found, _ := probe(t, path, 0, "t0")
	if f := found["t0"]; f.Verdict != record.Clean {
		t.Errorf("%s by %q: %s%s; want clean", f.Verdict, f.Holder, f.Reason, f.Trouble)
	}
}

func openTun(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// A link that goes while packets are sent through it shows nothing.
func TestProbeOfALinkThatGoes(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	l := testkit.Veth(t, nl, "v0", "v1", "10.9.9.1/24")
	p := Probe{Self: DefaultSelf, Netns: path, Rate: 100, Count: 200, Options: experiment.DefaultOptions()}
	ready, err := p.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ready.Close() }()
	go func() {
		time.Sleep(300 * time.Millisecond)
		_ = nl.LinkDel(l)
	}()
	err = ready.Look(t.Context(), []string{"v0", "v0"}, func(s Sight) bool {
		if s.Err == nil || !strings.Contains(s.Err.Error(), "v0") {
			t.Errorf("%v, found %+v; want that v0 went away", s.Err, verdict.Judge(s.Trace))
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

func TestProbeIsCalledOff(t *testing.T) {
	needRoot(t)
	path, nl := testkit.Namespace(t)
	testkit.Veth(t, nl, "v0", "v1", "10.9.9.1/24")
	p := Probe{Self: DefaultSelf, Netns: path, Rate: 1, Count: 1000, Options: experiment.DefaultOptions()}
	ready, err := p.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ready.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = ready.Look(ctx, []string{"v0"}, func(s Sight) bool {
		t.Errorf("told of %+v", s)
		return true
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want that the time was up", err)
	}
}

// Where no queue can be had without loading a module, packets for a neighbour that
// does not answer weigh the same.
func TestBothWaysToWeighAgree(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the sandbox of an ordinary user is tried elsewhere")
	}
	l := NewLocal()
	byQueue, err := l.cost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sc := probeScenario("c0", 1, 0)
	sc.Links = append(sc.Links, costLinks()[0])
	byNeighbour, err := l.weigh(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if byQueue.Truesize != byNeighbour.Truesize || byNeighbour.TruesizeBy != "an unresolved neighbour" {
		t.Errorf("%d bytes by %s, %d by %s", byQueue.Truesize, byQueue.TruesizeBy, byNeighbour.Truesize, byNeighbour.TruesizeBy)
	}
}
