// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A bare boot that does not end by restarting is no measure.
func TestBareBoot(t *testing.T) {
	dir := t.TempDir()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skipf("needs gcc: %v", err)
	}
	if err := writeBare(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(filepath.Join(dir, keptInitramfs))
	if err != nil || !strings.HasPrefix(string(archive), "070701") || !strings.Contains(string(archive[:200]), "init") {
		t.Errorf("no archive with an init: %v", err)
	}
	for command, want := range map[string]string{
		"echo 'reboot: Restarting system'\n": "",
		"echo 'Kernel panic'\n":              "Kernel panic",
		"sh -c \"[ -S /dev/fd/3 ] && [ -S /dev/fd/4 ] && echo 'reboot: Restarting system'\"": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, keptCommand), []byte(command), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bareBoot(t.Context(), dir, ""); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", command, err)
		}
	}
}

func TestWithCmdline(t *testing.T) {
	got, err := withCmdline("qemu -m 512 -append 'panic=-1 quiet'", "console=ttyS0 quiet")
	if want := "qemu -m 512 -append 'console=ttyS0 quiet'"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if _, err := withCmdline("qemu -m 512", "quiet"); err == nil {
		t.Error("a command without a command line for its kernel was taken")
	}
}
