// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skleak/internal/testkit"
)

// TestMain fails when a test has left a process, as a QEMU, or an open descriptor behind.
func TestMain(m *testing.M) {
	os.Exit(inFolder(m))
}

// inFolder runs the tests with a folder for the guest's init.
func inFolder(m *testing.M) int {
	dir, err := os.MkdirTemp("", "skleak-vm-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := buildGuest(filepath.Join(dir, "testguest")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return testkit.Main(m, testkit.Files(), testkit.NoChildren)
}

// guestVariable is the environment variable that names the built testguest.
const guestVariable = "SKLEAK_TESTGUEST"

func testGuest() string { return os.Getenv(guestVariable) }

func buildGuest(out string) error {
	cmd := exec.Command("go", "build", "-o", out, "./testguest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the test's guest: %w: %s", err, text)
	}
	return os.Setenv(guestVariable, out)
}

// ourQEMUs lists the QEMUs, real and fake, that are children of this process.
func ourQEMUs() []string {
	var left []string
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return []string{err.Error()}
	}
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == fmt.Sprint(os.Getpid()) && strings.Contains(string(data), "(qemu") {
			left = append(left, string(data[:min(len(data), 60)]))
		}
	}
	return left
}
