// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"skleak/blame"
	"skleak/internal/testkit"
	"skleak/netns"
)

// hellod is a routing daemon as far as its socket goes: one raw socket for all its
// links, a Hello into each at every interval, none while the socket is not
// writable. Its arguments are the path of a namespace, the interval, the send
// buffer and the links.
func hellod() {
	if err := sendHellos(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, "hellod:", err)
		os.Exit(1)
	}
}

func sendHellos(path, every, sndbuf string, links []string) error {
	runtime.LockOSThread()
	ns, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return err
	}
	interval, err := time.ParseDuration(every)
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(sndbuf)
	if err != nil {
		return err
	}
	conn, err := net.ListenIP("ip4:89", nil)
	if err != nil {
		return err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	p := ipv4.NewPacketConn(conn)
	if err := conn.SetWriteBuffer(size); err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		for _, link := range links {
			if !canSend(raw) {
				continue
			}
			l, err := net.InterfaceByName(link)
			if err != nil {
				return err
			}
			if err := p.SetMulticastInterface(l); err != nil {
				return err
			}
			if _, err := p.WriteTo(make([]byte, 44), nil, &net.IPAddr{IP: net.IPv4(224, 0, 0, 5)}); err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EPERM) {
				return err
			}
		}
		time.Sleep(interval)
	}
}

func canSend(raw syscall.RawConn) (ok bool) {
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, _ = unix.Poll(fds, 0)
		ok = fds[0].Revents&unix.POLLOUT != 0
	})
	return ok
}

// startHellod starts one, and waits until it has its socket.
func startHellod(t *testing.T, path string, interval time.Duration, sndbuf int, links ...string) int {
	t.Helper()
	cmd := exec.Command("hellod", append([]string{path, interval.String(), strconv.Itoa(sndbuf)}, links...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// blamed runs skleak blame and reads what it found.
func blamed(t *testing.T, args ...string) (f blame.Finding, status int) {
	t.Helper()
	out, errs, status := skleak(t, append([]string{"blame", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	return f, status
}

func lineOf(f blame.Finding, link string) blame.Line {
	for _, l := range f.Links {
		if l.Link == link {
			return l
		}
	}
	return blame.Line{}
}

// expectHolder checks that w0 and nobody else is named, with numbers that add up.
func expectHolder(t *testing.T, f blame.Finding, status int, name string) {
	t.Helper()
	text, _ := json.MarshalIndent(f, "", " ")
	if status != 1 || f.Outcome != blame.Holds || len(f.Holders) != 1 || f.Holders[0].Name != name {
		t.Fatalf("exit status %d, want the holder %q: %s", status, name, text)
	}
	if !lineOf(f, "w0").Holds || lineOf(f, "v0").Holds || len(f.Cures) < 2 || !strings.Contains(f.Cures[0].About, "w0") {
		t.Errorf("%s", text)
	}
}

// One socket, three links, one of them stuck: before the silence and after it.
func TestBlameOfAStuckLink(t *testing.T) {
	path, nl := router(t)
	testkit.Veth(t, nl, "x0", "x1", "10.9.7.1/24")
	pid := strconv.Itoa(startHellod(t, path, 20*time.Millisecond, 100000, "v0", "w0", "x0"))
	f, status := blamed(t, "--pid", pid, "--for", "1s")
	expectHolder(t, f, status, "qdisc tbf on w0")
	if !lineOf(f, "v0").Acquitted || !lineOf(f, "x0").Acquitted || f.Silent {
		t.Errorf("%+v", f)
	}
	for range 500 {
		if _, _, status := skleak(t, "watch", "--pid", pid, "--once"); status == 1 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	f, status = blamed(t, "--pid", pid)
	expectHolder(t, f, status, "qdisc tbf on w0")
	if f.By != "count" || !f.Silent || f.Holders[0].Bytes != f.Charge || !lineOf(f, "v0").Acquitted || f.Seconds > 2 {
		t.Errorf("silent: %+v", f)
	}
	out, _, status := skleak(t, "blame", "--pid", pid)
	for _, want := range []string{"silent", "held by qdisc tbf on w0", "tc qdisc replace dev w0", "v0    clear"} {
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("exit status %d, lacks %q: %s", status, want, out)
		}
	}
}

// What another has in a queue is not laid to the daemon.
func TestBlameOfAHealthyDaemon(t *testing.T) {
	path, _ := router(t)
	stuck := hellos(t, path, "w0")
	stuck.fill(t)
	pid := strconv.Itoa(startHellod(t, path, 20*time.Millisecond, 100000, "v0"))
	f, status := blamed(t, "--pid", pid, "--for", "500ms")
	if status != 0 || f.Outcome != blame.Healthy || len(f.Holders) != 0 || len(f.Waiting) != 1 {
		t.Errorf("exit status %d: %+v", status, f)
	}
}

// Two daemons share a stuck queue: how many packets are whose, their count cannot
// tell, and a ledger can.
func TestBlameWithPacketsOfOthers(t *testing.T) {
	path, _ := router(t)
	other := hellos(t, path, "w0")
	for range 21 {
		other.send(t)
	}
	pid := strconv.Itoa(startHellod(t, path, 20*time.Millisecond, 100000, "v0", "w0"))
	f, status := blamed(t, "--pid", pid, "--for", "1s")
	if f.Outcome == blame.Holds && f.Holders[0].Name != "qdisc tbf on w0" || status != 1 {
		t.Errorf("exit status %d: %+v", status, f)
	}
	for _, n := range f.Notes {
		if strings.HasPrefix(n, "no ledger") {
			return
		}
	}
	expectHolder(t, f, status, "qdisc tbf on w0")
}

func TestBlameOfNothing(t *testing.T) {
	idle := exec.Command("sleep", "60")
	if err := idle.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = idle.Process.Kill()
		_ = idle.Wait()
	}()
	path, _ := router(t)
	d := hellos(t, path, "v0")
	for want, args := range map[string][]string{
		"give --pid":                   {},
		"no such process":              {"--pid", "2147483647"},
		"no raw, UDP or packet socket": {"--pid", strconv.Itoa(idle.Process.Pid)},
		"descriptor 77 is no raw":      {"--pid", strconv.Itoa(d.pid), "--fd", "77"},
		"give 100ms to 24h":            {"--pid", strconv.Itoa(d.pid), "--for", "1ms"},
		"a descriptor is 0 or more":    {"--pid", strconv.Itoa(d.pid), "--fd", "-3"},
	} {
		out, errs, status := skleak(t, append([]string{"blame"}, args...)...)
		if status != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: exit status %d: %s%s; want %q", args, status, out, errs, want)
		}
	}
	cmd := asNobody(t, "blame", "--pid", strconv.Itoa(d.pid))
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "as root") {
		t.Errorf("an ordinary user: %s", out)
	}
}

// The daemon ends, and the one who asks has enough of it.
func TestBlameCutShort(t *testing.T) {
	path, _ := router(t)
	for name, end := range map[string]func(cmd *exec.Cmd, d daemon){
		"have ended\nhas ended": func(_ *exec.Cmd, d daemon) { d.stop() },
		"interrupted":           func(cmd *exec.Cmd, _ daemon) { _ = cmd.Process.Signal(syscall.SIGINT) },
	} {
		d := hellos(t, path, "v0")
		d.send(t)
		cmd := exec.Command("skleak", "blame", "--pid", strconv.Itoa(d.pid), "--for", "1m")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		end(cmd, d)
		_ = cmd.Wait()
		want := map[string]int{"interrupted": 130}[name]
		if want == 0 {
			want = exitUsage
		}
		if status := cmd.ProcessState.ExitCode(); status != want {
			t.Errorf("%s: exit status %d, want %d: %s", name, status, want, errs.String())
		}
	}
	nothingIsLeft(t)
}

// A namespace that has no name and no process, only the daemon's socket.
func TestBlameInANamespaceWithoutAName(t *testing.T) {
	path, nl := router(t)
	d := hellos(t, path, "w0")
	d.fill(t)
	// The daemon's own namespace is that of the test: only its socket is there.
	inode, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", d.pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the daemon is in %s", inode)
	f, status := blamed(t, "--pid", strconv.Itoa(d.pid))
	expectHolder(t, f, status, "qdisc tbf on w0")
	if links, err := nl.LinkList(); err != nil || !slices.ContainsFunc(links, func(l netlink.Link) bool { return l.Attrs().Name == "w0" }) {
		t.Errorf("%v, %v", links, err)
	}
}

// The daemon's packets on each link are dropped in turn; the ring of rules is gone
// afterwards, and after a kill too.
func TestBlameIsolates(t *testing.T) {
	path, _ := router(t)
	pid := strconv.Itoa(startHellod(t, path, 50*time.Millisecond, 1000000, "v0", "w0"))
	timers := []string{"--hello", "400ms", "--dead", "2s", "--for", "500ms"}
	f, status := blamed(t, append([]string{"--pid", pid, "--isolate"}, timers...)...)
	expectHolder(t, f, status, "qdisc tbf on w0")
	if len(f.Trials) != 3 || f.Trials[0].Growth <= 0 || !strings.Contains(strings.Join(f.Notes, "\n"), "isolation agrees") {
		t.Errorf("%+v", f)
	}
	for _, trial := range f.Trials[1:] {
		if trial.Dropped < 2 || (trial.Link == "w0") != (trial.Growth == 0) {
			t.Errorf("%+v", trial)
		}
	}
	out, errs, status := skleak(t, append([]string{"blame", "--pid", pid, "--plan"}, timers...)...)
	if status != 0 || !strings.Contains(out, "flags owner") || !strings.Contains(out, "v0, w0") {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	if _, errs, status := skleak(t, "blame", "--pid", pid, "--isolate", "--hello", "10s", "--dead", "30s"); status != exitUsage || !strings.Contains(errs, "an adjacency could drop") {
		t.Errorf("exit status %d: %s", status, errs)
	}
	cmd := exec.Command("skleak", "blame", "--pid", pid, "--isolate", "--hello", "1s", "--dead", "4s", "--for", "100ms")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitTables(t, path, 1)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	awaitTables(t, path, 0)
	// A second run finds no table in its way.
	f, status = blamed(t, append([]string{"--pid", pid, "--isolate"}, timers...)...)
	expectHolder(t, f, status, "qdisc tbf on w0")
}

// awaitTables waits until there are so many tables of nf_tables.
func awaitTables(t *testing.T, path string, want int) {
	t.Helper()
	got := -1
	for range 500 {
		err := netns.In(path, func() error {
			tables, err := (&nftables.Conn{}).ListTables()
			got = len(tables)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%d tables, want %d", got, want)
}
