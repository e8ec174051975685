// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/vishvananda/netlink"

	"skleak/internal/testkit"
	"skleak/record"
)

// router makes a namespace with a link that works and one that is stuck.
func router(t *testing.T) (path string, nl *netlink.Handle) {
	t.Helper()
	testkit.Root(t, "makes a namespace")
	path, nl = testkit.Namespace(t)
	testkit.Veth(t, nl, "v0", "v1", "10.9.9.1/24")
	testkit.Stuck(t, path, testkit.Veth(t, nl, "w0", "w1", "10.9.8.1/24"))
	return path, nl
}

// probed runs skleak probe and reads what it found.
func probed(t *testing.T, args ...string) (links map[string]probedLink, rep probeReport, status int) {
	t.Helper()
	out, errs, status := skleak(t, append([]string{"probe", "--json", "--yes", "--patience", "100ms"}, args...)...)
	if err := json.Unmarshal([]byte(out), &rep); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	links = map[string]probedLink{}
	for _, l := range rep.Links {
		links[l.Link] = l
	}
	return links, rep, status
}

// A snapshot of the links, run again, gives the verdicts and holders of the live
// ones.
func TestSnapshotGivesWhatProbeGives(t *testing.T) {
	path, _ := router(t)
	live, rep, status := probed(t, "--netns", path)
	if status != 1 || live["v0"].Verdict != record.Clean || live["w0"].Verdict != record.Stalled || live["v1"].Verdict != "" {
		t.Fatalf("exit status %d: %+v", status, live)
	}
	file := filepath.Join(t.TempDir(), "router.yaml")
	if out, errs, status := skleak(t, "snapshot", "--netns", path, "-o", file); status != 0 || out != "" {
		t.Fatalf("exit status %d: %s%s", status, out, errs)
	}
	out, errs, status := skleak(t, "run", file, "--json", "--patience", "500ms")
	again, err := record.ReadReport(strings.NewReader(out))
	if err != nil || status != 0 {
		t.Fatalf("%v, exit status %d: %s%s", err, status, out, errs)
	}
	results := again.Runs[0].Results
	if len(results) != 2 {
		t.Fatalf("%d results, want those of v0 and w0", len(results))
	}
	for _, r := range results {
		l := live[strings.TrimPrefix(r.Scenario, "snapshot/")]
		unnamed := l.Holder == record.NotKnown && (strings.Contains(l.Reason, "ledger incomplete") || strings.Contains(strings.Join(rep.Notes, " "), "no ledger: "))
		if r.Verdict != l.Verdict || r.Holder != l.Holder && !unnamed {
			t.Errorf("%s: %s by %q, and live %s by %q: %s", r.Scenario, r.Verdict, r.Holder, l.Verdict, l.Holder, l.Reason)
		}
	}
}

// What one of two rules drops is refused, and told apart from what is held.
func TestProbeOfADropRule(t *testing.T) {
	path, nl := router(t)
	dropAll(t, path, "v0")
	down, err := nl.LinkByName("w0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nl.LinkSetDown(down); err != nil {
		t.Fatal(err)
	}
	live, _, status := probed(t, "--netns", path)
	if l := live["v0"]; status != 1 || l.Verdict != record.Refused || l.Holder != "" || !strings.Contains(l.Next, "nft list ruleset") {
		t.Errorf("exit status %d: %+v; want v0 refused", status, l)
	}
	if l := live["w0"]; l.Verdict != "" || l.Reason != "it is down" {
		t.Errorf("%+v; want that w0 was not tried", l)
	}
	_, _, status = probed(t, "--netns", path, "w0", "lo")
	if status != 4 {
		t.Errorf("exit status %d where no link can be tried, want 4", status)
	}
}

// sent is how many packets left by a link.
func sent(t *testing.T, nl *netlink.Handle, name string) uint64 {
	t.Helper()
	l, err := nl.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return l.Attrs().Statistics.TxPackets
}

func TestProbeAsks(t *testing.T) {
	path, nl := router(t)
	_, errs, status := skleak(t, "probe", "--netns", path, "v0")
	if status != exitUsage || !strings.Contains(errs, "say --yes") {
		t.Errorf("without a terminal: exit status %d: %s", status, errs)
	}
	before := sent(t, nl, "v0")
	for _, answer := range []string{"n", "", "y"} {
		cmd := exec.Command("skleak", "probe", "--netns", path, "v0", "--count", "20")
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		y := newTypist(t, terminal)
		y.await("Up to 20 packets")
		y.await("[y/N] ")
		if now := sent(t, nl, "v0"); now != before {
			t.Errorf("%d packets before the answer", now-before)
		}
		y.enter(answer + "\n")
		err = cmd.Wait()
		_ = terminal.Close()
		now := sent(t, nl, "v0") - before
		if answer == "y" && (err != nil || now != 20) || answer != "y" && (cmd.ProcessState.ExitCode() != exitUsage || now != 0) {
			t.Errorf("answer %q: %v, %d packets", answer, err, now)
		}
	}
}

func TestProbeInterrupted(t *testing.T) {
	path, nl := router(t)
	cmd := exec.Command("skleak", "probe", "--netns", path, "--yes", "--patience", "1m", "w0", "v0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		// The shaper let a few go, and holds what came after.
		if qs, err := nl.QdiscList(nil); err == nil && waiting(qs) >= 128 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 130 {
		t.Errorf("ended with %v, want 130", err)
	}
	if !strings.Contains(string(text), "v0 (interrupted)") {
		t.Errorf("printed %q", text)
	}
	nothingIsLeft(t)
}

func waiting(qs []netlink.Qdisc) (packets uint32) {
	for _, q := range qs {
		if s := q.Attrs().Statistics; s != nil && s.Queue != nil {
			packets += s.Queue.Qlen
		}
	}
	return packets
}

func TestProbeAndSnapshotOfWhatIsNotThere(t *testing.T) {
	path, _ := router(t)
	for want, args := range map[string][]string{
		"did you mean v1, v0?":       {"--netns", path, "v7"},
		"`ip netns list` has those":  {"--netns", "nowhere"},
		"no process 2147483647":      {"--netns", "2147483647"},
		"it is no network namespace": {"--netns", "/etc/passwd"},
		"give a path like /proc":     {"--netns", "/nowhere/at/all"},
		"without a name":             {"--netns", ""},
	} {
		for _, verb := range [][]string{{"probe", "--yes"}, {"snapshot"}} {
			out, errs, status := skleak(t, append(verb, args...)...)
			if status != exitUsage || out != "" || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("%v %v: exit status %d, %q%s; want %q", verb, args, status, out, errs, want)
			}
		}
	}
}

// asNobody is the command run by a user who may do nothing.
func asNobody(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := exec.LookPath("skleak")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	public := filepath.Join(dir, "skleak")
	if err := os.WriteFile(public, data, 0o755); err != nil {
		t.Fatal(err)
	}
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(public, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

// An ordinary user is told what it takes.
func TestProbeWithoutPrivileges(t *testing.T) {
	path, _ := router(t)
	cmd := asNobody(t, "probe", "--yes", "--netns", path)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "as root") {
		t.Errorf("%v: %s; want exit status 2 and that it takes root", err, out)
	}
}

func TestSnapshotAsJSON(t *testing.T) {
	path, _ := router(t)
	out, errs, status := skleak(t, "snapshot", "--netns", path, "--json", "--anonymise", "w0")
	var got snapshotJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 {
		t.Fatalf("%v, exit status %d: %s%s", err, status, out, errs)
	}
	if len(got.Scenarios) != 1 || strings.Contains(out, "10.9.8.1") || strings.Contains(out, "w0") || !strings.Contains(got.File, "kind: tbf") {
		t.Errorf("%+v", got)
	}
}
