// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"skleak/harness/meter"
	"skleak/harness/verdict"
	"skleak/internal/testkit"
	"skleak/record"
	"skleak/scenarios"
)

// needRoot: what these tests look at is root's registry and /proc of others.
func needRoot(t *testing.T) {
	t.Helper()
	testkit.Root(t, "looks at root's registry")
}

// pick takes scenarios out of the catalogue.
func pick(t *testing.T, names ...string) []scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	var list []scenarios.Scenario
	for _, name := range names {
		found := false
		for _, sc := range all {
			if sc.Name == name {
				list, found = append(list, sc), true
			}
		}
		if !found {
			t.Fatalf("no scenario %s in the catalogue", name)
		}
	}
	return list
}

// decode reads a scenario file written in the test.
func decode(t *testing.T, text string) []scenarios.Scenario {
	t.Helper()
	list, err := scenarios.Decode(t.Name(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// traces runs list and returns the traces by scenario. A skip is allowed only
// where the test says that this kernel may lack the kind.
func traces(t *testing.T, l Local, list []scenarios.Scenario) map[string]record.Trace {
	t.Helper()
	got := map[string]record.Trace{}
	for e, err := range l.Run(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case record.EventTrouble, record.EventSkip:
			t.Errorf("%s: %s: %s", e.Scenario, e.Kind, e.Text)
		case record.EventTrace:
			got[e.Scenario] = *e.Trace
		}
	}
	return got
}

func TestVerdictsOnThisKernel(t *testing.T) {
	l := NewLocal()
	l.Options.Patience = 0
	names := []string{"tun/unread", "tap/read", "veth/same-netns", "veth/other-netns", "bridge/two-ports",
		"hold/tbf", "hold/nfqueue", "vxlan/unresolved", "neigh/unresolved", "stack/vxlan-over-tbf"}
	list := pick(t, names...)
	got := traces(t, l, list)
	for _, sc := range list {
		res := verdict.Result(sc.Name, sc.Expect, sc.Known, got[sc.Name])
		if res.Status != record.Pass {
			t.Errorf("%s: %s %s, expected %s: %s", sc.Name, res.Status, res.Verdict, res.Expected, res.Reason)
		}
		if res.Truesize == 0 {
			t.Errorf("%s: truesize was not measured", sc.Name)
		}
		if res.Verdict == record.Stalled && (res.Holder == "" || res.HeldBytes < res.SndBuf/2) {
			t.Errorf("%s: stalled with holder %q and %d bytes of a buffer of %d", sc.Name, res.Holder, res.HeldBytes, res.SndBuf)
		}
	}
}

func TestTimeAloneIsNoRung(t *testing.T) {
	list := pick(t, "neigh/unresolved")
	tr := traces(t, NewLocal(), list)[list[0].Name]
	if tr.Patience == nil || tr.Patience.ReleasedNs < 2e9 || tr.Refill == nil {
		t.Fatalf("patience %+v, refill %+v: ARP gives up after three probes a second apart", tr.Patience, tr.Refill)
	}
	f := verdict.Judge(tr)
	if !strings.HasPrefix(f.Holder, "neighbour ") || f.ReleasedBy != string(record.RungNeighbour) {
		t.Errorf("holder %q released by %q, want the neighbour", f.Holder, f.ReleasedBy)
	}
}

func TestOnePacketKeptIsSeen(t *testing.T) {
	list := decode(t, `
scenarios:
  - name: test/keep-one
    about: an NFQUEUE listener that withholds a single verdict
    links:
      - {name: v0, kind: veth, address: 10.9.9.1/24, peer: {name: v1}}
    filters:
      - {hook: output, link: v0, action: nfqueue, queue: 0, listener: {verdict: accept, keep: [7777]}}
    traffic: {packet: ospf-hello, via: [v0], rate: max, count: 20000}
    expect: held
`)
	l := NewLocal()
	l.Options.Patience = 0
	tr := traces(t, l, list)["test/keep-one"]
	if f := verdict.Judge(tr); f.Verdict != record.Held || f.HeldBytes != tr.Truesize || f.Holder != "nfqueue 0" {
		t.Errorf("%s, %d bytes, holder %q; want held, one truesize (%d), nfqueue 0", f.Verdict, f.HeldBytes, f.Holder, tr.Truesize)
	}
}

// held starts a scenario that holds for good and returns once it does, with
// the pid of the sandbox child.
func held(ctx context.Context, t *testing.T, events chan<- record.Event) int {
	t.Helper()
	before := map[int]bool{}
	for _, pid := range testkit.Processes() {
		before[pid] = true
	}
	holding := make(chan struct{})
	go func() {
		defer close(events)
		waiting := true
		for e, err := range NewLocal().Run(ctx, pick(t, "hold/tbf")) {
			if err != nil {
				return
			}
			if waiting && e.Kind == record.EventPhase && e.Text == record.PhasePatience {
				waiting = false
				close(holding)
			}
			events <- e
		}
	}()
	select {
	case <-holding:
	case <-time.After(30 * time.Second):
		t.Fatal("the scenario did not come to hold")
	}
	for _, pid := range testkit.Processes() {
		if !before[pid] && parentOf(pid) == os.Getpid() {
			return pid
		}
	}
	t.Fatal("no sandbox child")
	return 0
}

func parentOf(pid int) int {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	stat, err := p.Stat()
	if err != nil {
		return 0
	}
	return stat.PPID
}

// namespaceGone waits until nothing but lo and no socket is left in the
// namespace: then no skb pins it either.
func namespaceGone(t *testing.T, watch *os.File) {
	t.Helper()
	links, sockets := []string{"?"}, -1
	for range 100 {
		links, sockets = inside(t, watch)
		if len(links) == 1 && sockets == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(links) != 1 || sockets != 0 {
		t.Errorf("links %v and %d sockets are left in the sandbox", links, sockets)
	}
	if err := watch.Close(); err != nil {
		t.Fatal(err)
	}
	if left := testkit.Left(testkit.NoProcesses, ownEntries); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// inside looks into a network namespace from a thread that ends there.
func inside(t *testing.T, ns *os.File) (links []string, sockets int) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		text, err := os.ReadFile("/proc/thread-self/net/dev")
		for _, line := range strings.Split(string(text), "\n") {
			if name, _, ok := strings.Cut(line, ":"); ok {
				links = append(links, strings.TrimSpace(name))
			}
		}
		if err == nil {
			sockets, err = meter.SocketsUsed()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return links, sockets
}

func TestKilledChildIsTroubleAndLeavesNothing(t *testing.T) {
	needRoot(t)
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			events := make(chan record.Event, 1000)
			pid := held(t.Context(), t, events)
			watch, err := os.Open(procNet(pid))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, sig); err != nil {
				t.Fatal(err)
			}
			var last record.Event
			for e := range events {
				last = e
			}
			if last.Kind != record.EventTrouble {
				t.Errorf("last event %s, want trouble", last.Kind)
			}
			namespaceGone(t, watch)
		})
	}
}

func TestCancelledRunLeavesNothing(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	events := make(chan record.Event, 1000)
	pid := held(ctx, t, events)
	watch, err := os.Open(procNet(pid))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range events {
		continue
	}
	namespaceGone(t, watch)
}

func procNet(pid int) string { return fmt.Sprintf("/proc/%d/ns/net", pid) }

func TestSweepFreesWhatAllKilledLeft(t *testing.T) {
	needRoot(t)
	events := make(chan record.Event, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pid := held(ctx, t, events)
	keeper := 0
	for _, c := range testkit.Processes() {
		if parentOf(c) == pid {
			keeper = c
		}
	}
	if keeper == 0 {
		t.Fatal("no keeper beside the child")
	}
	// A registry of the test's own, with a handle as a dead run would leave it.
	reg := Registry{dir: filepath.Join(t.TempDir(), "registry")}
	mine, err := reg.add(pid)
	if err != nil {
		t.Fatal(err)
	}
	name := mine.path
	for range 2 {
		if left, err := reg.Leftovers(); err != nil || len(left) != 0 {
			t.Fatalf("leftovers %v, %v, while the owner lives", left, err)
		}
		if n, err := reg.Sweep(); err != nil || n != 0 {
			t.Fatalf("swept %d, %v, while the owner lives", n, err)
		}
	}
	// The end of the owner closes its files.
	if err := mine.lock.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := reg.Leftovers()
	if err != nil || len(left) != 1 {
		t.Fatalf("leftovers %v, %v; want one", left, err)
	}
	watch, err := os.Open(procNet(pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []int{keeper, pid} {
		if err := syscall.Kill(p, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for range events {
		continue
	}
	n, err := reg.Sweep()
	if err != nil || n != 1 {
		t.Errorf("swept %d, %v; want one", n, err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the handle is still there: %v", err)
	}
	namespaceGone(t, watch)
}

func TestOwnNamespaceIsNeverCleaned(t *testing.T) {
	out, err := currentNamespace()
	if err != nil {
		t.Fatal(err)
	}
	if err := out.clean(ownNamespace); err == nil {
		t.Fatal("the run's own namespace was accepted")
	}
	for _, args := range [][]string{nil, {"x"}, {out.String()}} {
		if Child(args) == 0 || Keeper(args) == 0 {
			t.Errorf("started by hand with %q: accepted", args)
		}
	}
}

func TestSenderGoesOnWhenAllWasLetGo(t *testing.T) {
	list := pick(t, "neigh/unresolved")
	list[0].Traffic.Count = 400
	l := NewLocal()
	// Longer than ARP's three seconds: whatever waits is let go of while settling.
	l.Options.Settle = 5 * time.Second
	tr := traces(t, l, list)[list[0].Name]
	if tr.Sent != 400 || tr.Settle.Bytes != 0 {
		t.Errorf("%d of 400 packets sent, %d bytes held; want all sent in two fillings and nothing held", tr.Sent, tr.Settle.Bytes)
	}
}
