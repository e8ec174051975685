// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/vm"
)

// needsGuest skips where no guest can be booted, or none is wanted.
func needsGuest(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a VM")
	}
	if _, err := exec.LookPath(vm.Program); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
}

// qemusOf are the QEMUs that a process started.
func qemusOf(t *testing.T, pid int) []procfs.Proc {
	t.Helper()
	procs, err := procfs.AllProcs()
	if err != nil {
		t.Fatal(err)
	}
	var found []procfs.Proc
	for _, p := range procs {
		if stat, err := p.Stat(); err == nil && stat.PPID == pid && strings.HasPrefix(stat.Comm, "qemu") {
			found = append(found, p)
		}
	}
	return found
}

// guestInMidHold is a run in a guest that waits a minute on a hold.
type guestInMidHold struct {
	cmd  *exec.Cmd
	errs *bytes.Buffer
	// dir is where the run writes, tmp its temporary folder.
	dir, tmp, report string
	qemu             procfs.Proc
}

// startInGuest returns once what is clean is done.
func startInGuest(t *testing.T) *guestInMidHold {
	t.Helper()
	needsGuest(t)
	dir := t.TempDir()
	g := &guestInMidHold{errs: &bytes.Buffer{}, dir: filepath.Join(dir, "out"), tmp: filepath.Join(dir, "tmp")}
	for _, made := range []string{g.dir, g.tmp} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	g.report = filepath.Join(g.dir, "report.json")
	g.cmd = exec.Command("skleak", "vm", "run", "--kernel", "debian:6.1", "hold/tbf", "veth/same-netns",
		"--jobs", "2", "--patience", "1m", "--save", g.dir, "--json", "-o", g.report)
	g.cmd.Env = append(os.Environ(), "TMPDIR="+g.tmp)
	g.cmd.Stderr, g.cmd.WaitDelay = g.errs, 30*time.Second
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.cmd.Process.Kill() })
	for range 6000 {
		if _, err := os.Stat(filepath.Join(g.dir, "veth/same-netns/trace-1.json")); err == nil {
			if found := qemusOf(t, g.cmd.Process.Pid); len(found) == 1 {
				g.qemu = found[0]
				return g
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no trace of veth/same-netns: %s", g.errs)
	return nil
}

// left says what is still there of the run but what it saved and its report.
func (g *guestInMidHold) left() []string {
	var found []string
	// A pid is another's only with another beginning.
	before, _ := g.qemu.Stat()
	if p, err := procfs.NewProc(g.qemu.PID); err == nil {
		if now, err := p.Stat(); err == nil && now.Starttime == before.Starttime && now.State != "Z" {
			found = append(found, "QEMU")
		}
	}
	for _, dir := range []string{g.dir, g.tmp} {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path != g.report && !strings.HasPrefix(d.Name(), "trace-") && d.Name() != "scenario.yaml" && d.Name() != "run.json" {
				found = append(found, path)
			}
			return err
		})
	}
	return found
}

func TestGuestGoesWithItsHost(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGKILL: -1} {
		t.Run(sig.String(), func(t *testing.T) {
			g := startInGuest(t)
			if err := g.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var ended *exec.ExitError
			if err := g.cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != want {
				t.Errorf("ended with %v, want exit status %d; %s", err, want, g.errs)
			}
			if left := testkit.Left(g.left); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			if sig == syscall.SIGKILL {
				return
			}
			data, err := os.ReadFile(g.report)
			if err != nil {
				t.Fatal(err)
			}
			var rep record.Report
			if err := json.Unmarshal(data, &rep); err != nil {
				t.Fatal(err)
			}
			run := rep.Runs[0]
			if !run.Interrupted || len(run.Results) != 1 || run.Results[0].Scenario != "veth/same-netns" || run.Results[0].Status != record.Pass {
				t.Errorf("interrupted %v, results %+v; want the clean one, done before", run.Interrupted, run.Results)
			}
		})
	}
}
