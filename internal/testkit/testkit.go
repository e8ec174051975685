// SPDX-License-Identifier: GPL-2.0-only

// Package testkit is what the tests of several packages need: a Main that fails
// when something is left behind, a start in namespaces of their own, and golden
// files.
//
//	func TestMain(m *testing.M) { os.Exit(testkit.Main(m, testkit.Files())) }
package testkit

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/procfs"
)

// A Check lists what the tests left behind; empty is nothing.
type Check func() []string

// How often and how long Main looks for what is on its way out.
const (
	looks = 100
	pause = 50 * time.Millisecond
)

// updateFlag writes the golden files instead of comparing with them.
const updateFlag = "update"

// Main runs the tests and fails them if any check finds something after them.
// The workers of a fuzz run keep pipes of their own, so then it does not look.
func Main(m interface{ Run() int }, checks ...Check) int {
	flag.Bool(updateFlag, false, "write the golden files anew")
	flag.Parse()
	code := m.Run()
	if code != 0 || flag.Lookup("test.fuzz").Value.String() != "" {
		return code
	}
	if left := Left(checks...); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", strings.Join(left, ", "))
		return 1
	}
	return 0
}

// Left is what the checks find, when it has had a while to go.
func Left(checks ...Check) []string {
	var left []string
	for range looks {
		// Finalizers close what nobody holds any more.
		runtime.GC()
		left = nil
		for _, check := range checks {
			left = append(left, check()...)
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(pause)
	}
	return left
}

// Files finds descriptors that are open now and were not when it was called.
func Files() Check {
	// The runtime's poller opens its own on first use.
	if f, err := os.Open(os.DevNull); err == nil {
		_ = f.Close()
	}
	before := openFiles()
	return func() []string {
		var left []string
		for what, n := range openFiles() {
			if more := n - before[what]; more > 0 {
				left = append(left, fmt.Sprintf("%d × descriptor of %s", more, what))
			}
		}
		return left
	}
}

// openFiles counts descriptors by what they are, without numbers that differ
// from one to the next.
func openFiles() map[string]int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	open := map[string]int{}
	for _, fd := range fds {
		// NB: the descriptor that the folder was read by is gone by now.
		what, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil {
			continue
		}
		kind, _, _ := strings.Cut(what, ":[")
		open[kind]++
	}
	return open
}

// Processes are the other processes that run this test's binary, but for the one
// that started it.
func Processes() []int {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	procs, err := procfs.AllProcs()
	if err != nil {
		return nil
	}
	var pids []int
	for _, p := range procs {
		if exe, err := p.Executable(); err == nil && exe == self && p.PID != os.Getpid() && p.PID != os.Getppid() {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// NoProcesses finds what Processes lists.
func NoProcesses() []string {
	if pids := Processes(); len(pids) > 0 {
		return []string{fmt.Sprintf("processes %v", pids)}
	}
	return nil
}

// NoChildren finds processes that this one started and that have not been waited
// for.
func NoChildren() []string {
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if pids := strings.TrimSpace(string(text)); err == nil && pids != "" {
			left = append(left, "child processes "+pids)
		}
	}
	return left
}

// Root skips a test that needs root, and says what for.
func Root(t testing.TB, what string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip(what + ": run as root")
	}
}

// Golden compares got with a file, or with -update writes it. The package needs
// Main.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if flag.Lookup(updateFlag).Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not as it was; go test with -update if that is meant (-want +got):\n%s", file, diff)
	}
}

// programsRequired is set, to a folder, where all that reads a format back must be
// there: by make formats.
const programsRequired = "SKLEAK_FORMATS"

// Program is where the program of a Debian package is. A test that needs one which
// is not installed is skipped; where programsRequired is set, it fails.
func Program(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	why := fmt.Sprintf("%s is missing: apt-get install %s, or make formats", name, debian)
	if os.Getenv(programsRequired) != "" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// Reader is a file of a reader that no package has, as make formats puts it into
// the folder that programsRequired names. Without that the test is skipped.
func Reader(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv(programsRequired)
	if dir == "" {
		t.Skip(name + " is not here: run make formats")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}
