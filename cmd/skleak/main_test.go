// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"skleak/harness"
	"skleak/internal/testkit"
)

// TestMain is the command, its sandbox child and its keeper too. The tests of
// root run in a mount namespace with a /run of its own, where every entry of
// the registry and every temporary file is theirs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "sandbox-") {
		main()
	}
	commands := map[string]func(){"skleak": main, "userns": inUserNamespace, "hellod": hellod}
	_, asCommand := commands[filepath.Base(os.Args[0])]
	switch {
	case asCommand:
	case os.Geteuid() == 0 && !testkit.Inside():
		os.Exit(testkit.Again(syscall.CLONE_NEWNS))
	case testkit.Inside():
		if err := ownRun(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	testscript.Main(checked{m}, commands)
}

// ownRun puts an empty file system over /run and the temporary folder in it,
// which every user may look into.
func ownRun() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("skleak-test", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount a /run of the tests' own: %w", err)
	}
	if err := os.Mkdir("/run/tmp", 0o755); err != nil {
		return err
	}
	return os.Setenv("TMPDIR", "/run/tmp")
}

// inUserNamespace runs the program of its arguments as root of a new user
// namespace that has all users, and its exit status is the program's.
func inUserNamespace() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	users := []syscall.SysProcIDMap{{Size: 65535}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: users, GidMappings: users, GidMappingsEnableSetgroups: true,
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// checked fails tests that leave something behind.
type checked struct{ *testing.M }

// Run implements testscript.TestingM.
func (c checked) Run() int {
	if err := buildCommand(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := c.M.Run()
	if left := testkit.Left(processes, files); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", strings.Join(left, ", "))
		return 1
	}
	return code
}

// buildCommand puts the command as users have it, static and without the race
// detector, in place of the test binary: every sandbox starts it twice, and with
// the detector each start takes a second.
func buildCommand() error {
	binary, err := exec.LookPath("skleak")
	if err != nil {
		return err
	}
	if err := os.Remove(binary); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return nil
}

// processes are those that run the command's binary.
func processes() []string {
	binary, err := exec.LookPath("skleak")
	if err != nil {
		return []string{err.Error()}
	}
	procs, err := procfs.AllProcs()
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, p := range procs {
		exe, err := p.Executable()
		if err != nil || strings.TrimSuffix(exe, " (deleted)") != binary {
			continue
		}
		args, _ := p.CmdLine()
		found = append(found, fmt.Sprintf("process %d %q", p.PID, args))
	}
	return found
}

// files are entries of the registry and temporary files, where those are the
// tests' own.
func files() []string {
	if !testkit.Inside() {
		return nil
	}
	var found []string
	for _, pattern := range []string{harness.RegistryDir + "/*", os.TempDir() + "/*", os.TempDir() + "/.*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return []string{err.Error()}
		}
		for _, name := range names {
			if !strings.HasPrefix(name, filepath.Join(os.TempDir(), "testscript-main")) {
				found = append(found, name)
			}
		}
	}
	return found
}
