// SPDX-License-Identifier: GPL-2.0-only

package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m, Files(), NoChildren, NoProcesses)) }

// A check that finds nothing anywhere would pass every test.
func TestChecksFind(t *testing.T) {
	files := Files()
	if left := files(); len(left) > 0 {
		t.Fatalf("before anything: %q", left)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "kept"))
	if err != nil {
		t.Fatal(err)
	}
	if left := files(); len(left) != 1 || !strings.Contains(left[0], "kept") {
		t.Errorf("an open file gave %q", left)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestWaits$")
	cmd.Env = append(os.Environ(), waits+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if len(NoChildren()) == 0 || len(NoProcesses()) == 0 {
		t.Errorf("a child gave %q and %q", NoChildren(), NoProcesses())
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if left := Left(files, NoChildren, NoProcesses); len(left) > 0 {
		t.Errorf("after all: %q", left)
	}
}

const waits = "SKLEAK_TEST_WAITS"

// TestWaits is the child of TestChecksFind: it waits until its input ends.
func TestWaits(t *testing.T) {
	if os.Getenv(waits) == "" {
		t.Skip("run by TestChecksFind")
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func TestGoldenDiffers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.golden")
	if err := os.WriteFile(file, []byte("a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	Golden(t, file, "a\n")
	fake := &fakeT{TB: t}
	Golden(fake, file, "b\n")
	if !fake.failed {
		t.Error("another text was taken for the same")
	}
}

// fakeT keeps a failure to itself.
type fakeT struct {
	testing.TB
	failed bool
}

func (f *fakeT) Errorf(string, ...any) { f.failed = true }
