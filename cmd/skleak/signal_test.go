// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
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

	"skleak/harness"
	"skleak/internal/testkit"
	"skleak/record"
)

// startHolding starts a run that will wait half a minute on a hold, and
// returns once it has finished what is clean.
func startHolding(t *testing.T) (cmd *exec.Cmd, report string, errs *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	report, errs = filepath.Join(dir, "report.json"), &bytes.Buffer{}
	cmd = exec.Command("skleak", "run", "hold/tbf", "veth/same-netns", "--patience", "30s",
		"--save", dir, "--json", "-o", report)
	cmd.Stderr = errs
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for range 3000 {
		if _, err := os.Stat(filepath.Join(dir, "veth/same-netns/trace-1.json")); err == nil {
			return cmd, report, errs
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no trace of veth/same-netns: %s", errs)
	return nil, "", nil
}

func TestSignalInMidHold(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd, report, errs := startHolding(t)
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var ended *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != want {
				t.Errorf("ended with %v, want exit status %d; %s", err, want, errs)
			}
			data, err := os.ReadFile(report)
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
			nothingIsLeft(t)
		})
	}
}

// nothingIsLeft looks after a run that could clean up.
func nothingIsLeft(t *testing.T) {
	t.Helper()
	if found := processes(); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
	if os.Geteuid() != 0 {
		return
	}
	left, err := harness.NewRegistry(0).Leftovers()
	if err != nil || len(left) > 0 {
		t.Errorf("leftovers %v, %v", left, err)
	}
}

// What `timeout -s INT` does: two signals within a moment.
func TestTwoSignalsOfOneStroke(t *testing.T) {
	cmd, report, errs := startHolding(t)
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 130 {
		t.Errorf("ended with %v, want exit status 130; %s", err, errs)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := record.ReadReport(bytes.NewReader(data))
	if err != nil || !rep.Runs[0].Interrupted || len(rep.Gaps()) != 1 || !strings.Contains(rep.Gaps()[0], "hold/tbf") {
		t.Errorf("%v, gaps %q; want that hold/tbf is missing", err, rep.Gaps())
	}
	nothingIsLeft(t)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	cmd, _, _ := startHolding(t)
	for range 3000 {
		// The run may be over before the second signal is sent.
		if err := cmd.Process.Signal(syscall.SIGINT); errors.Is(err, os.ErrProcessDone) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	err := cmd.Wait()
	state, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || state.Signal() != syscall.SIGINT && state.ExitStatus() != 130 {
		t.Errorf("ended with %v, want SIGINT or 130", err)
	}
	if left := testkit.Left(processes); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if _, errs, status := skleak(t, "run", "veth/same-netns", "--patience", "0s"); status != 0 {
		t.Errorf("the next run: exit status %d, %s", status, errs)
	}
	nothingIsLeft(t)
}

// onTerminal runs the command with a terminal of 24 lines of 120 columns as
// its output and returns what was drawn there.
func onTerminal(t *testing.T, env []string, args ...string) (drawn string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "skleak", args...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=")
	cmd.Env = append(cmd.Env, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	var all bytes.Buffer
	// The read fails with EIO once nobody has the terminal open any more.
	if _, err := io.Copy(&all, terminal); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Log(err)
	}
	return all.String(), cmd.ProcessState.ExitCode()
}

// erase is what Live ends with.
const erase = "\x1b[J"

// coloured tells whether there is a colour in text.
func coloured(text string) bool {
	for _, seq := range strings.Split(text, "\x1b[")[1:] {
		rest := strings.TrimLeft(seq, "0123456789;")
		if strings.HasPrefix(rest, "m") {
			return true
		}
	}
	return false
}

func TestTerminal(t *testing.T) {
	args := []string{"run", "hold/tbf", "veth/same-netns", "--patience", "500ms"}
	for _, c := range []struct {
		name           string
		env            []string
		colour, escape bool
	}{
		{"xterm", nil, true, true},
		{"NO_COLOR", []string{"NO_COLOR=1"}, false, true},
		{"dumb", []string{"TERM=dumb"}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			drawn, status := onTerminal(t, c.env, args...)
			if status != 0 || !strings.Contains(drawn, "2 scenarios: 2 pass") {
				t.Errorf("exit status %d, %q", status, drawn)
			}
			if coloured(drawn) != c.colour {
				t.Errorf("colours %v, want %v: %q", !c.colour, c.colour, drawn)
			}
			if strings.Contains(drawn, "\x1b") != c.escape {
				t.Errorf("escape sequences %v, want %v: %q", !c.escape, c.escape, drawn)
			}
			if !c.escape {
				return
			}
			last := strings.LastIndex(drawn, erase)
			if last < 0 {
				t.Fatalf("no progress was drawn: %q", drawn)
			}
			before, after := drawn[:last], drawn[last:]
			if !strings.Contains(before, "hold/tbf") || !strings.Contains(before, record.PhasePatience) {
				t.Errorf("progress does not tell of hold/tbf: %q", before)
			}
			if strings.Count(after, "2 scenarios: 2 pass") != 1 || strings.Contains(before, "2 scenarios") {
				t.Errorf("the report does not begin where progress was erased: %q", after)
			}
		})
	}
}
