// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"skleak/record"
)

func TestUserlandInTheInitramfs(t *testing.T) {
	dir := t.TempDir()
	self, file := filepath.Join(dir, "self"), filepath.Join(dir, "root.tar")
	if err := os.WriteFile(self, []byte("the binary"), 0o644); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, h := range []tar.Header{
		{Name: "bin", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "bin/ip", Typeflag: tar.TypeReg, Mode: 0o755, Size: 2},
		{Name: "usr/sbin", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "sbin/ip", Typeflag: tar.TypeSymlink, Linkname: "/bin/ip"},
		{Name: "lib", Typeflag: tar.TypeSymlink, Linkname: "usr/lib"},
		{Name: "lib/x86_64-linux-gnu/libc.so.6", Typeflag: tar.TypeReg, Mode: 0o644, Size: 2},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte("ab")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (initramfs{self: self, userland: file, extra: map[string]string{"/lib/x86_64-linux-gnu/libc.so.6": self, "/lib/other.so": self}}).write(&out); err != nil {
		t.Fatal(err)
	}
	got := readArchive(t, &out)
	for name, text := range map[string]string{
		"bin": "usr/bin", "usr/bin/ip": "ab", "usr/sbin/ip": "/bin/ip", "lib": "usr/lib",
		"usr/lib/x86_64-linux-gnu/libc.so.6": "ab", "var/run": "/run", "usr/lib/other.so": "the binary", "usr/bin/skleak": "/init",
	} {
		if got[name] != text {
			t.Errorf("%s is %q, want %q", name, got[name], text)
		}
	}
	if !strings.Contains(got["etc/passwd"], "\nfrr:x:") || !strings.Contains(got["etc/group"], "\nfrrvty:x:980:frr\n") {
		t.Errorf("accounts: %q, %q", got["etc/passwd"], got["etc/group"])
	}
}

func TestTakeAlong(t *testing.T) {
	dir := t.TempDir()
	script, plain := filepath.Join(dir, "script"), filepath.Join(dir, "plain")
	for file, mode := range map[string]os.FileMode{script: 0o755, plain: 0o644} {
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		argv []string
		// first is the program in the guest, file one that must come along.
		first, file, err string
	}{
		{[]string{"ip", "link"}, "ip", "", ""},
		{[]string{"/usr/lib/none/such"}, "/usr/lib/none/such", "", ""},
		{[]string{script, "x"}, "/skleak/command/script", "/skleak/command/script", ""},
		{[]string{"/bin/sh"}, "/skleak/command/sh", "/skleak/command/sh", ""},
		{[]string{"./none"}, "", "", "no such file"},
		{[]string{plain}, "", "", "no file that can be run"},
		{[]string{dir}, "", "", "no file that can be run"},
		{nil, "", "", "no command"},
	} {
		argv, files, err := takeAlong(c.argv)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: %v, want %q", c.argv, err, c.err)
			}
			continue
		}
		if err != nil || argv[0] != c.first || !slices.Equal(argv[1:], c.argv[1:]) || (c.file != "") != (files[c.file] != "") {
			t.Errorf("%q: %q, %v, %v", c.argv, argv, files, err)
		}
	}
}

// TestCommandInGuest runs the test's own guest program as a command, which is
// none of busybox's: it prints to standard error and fails.
func TestCommandInGuest(t *testing.T) {
	v := realVM(t, "debian:6.1")
	for _, c := range []struct {
		argv      []string
		status    int
		out, errs string
	}{
		{[]string{testGuest()}, 2, "", "testguest is the init of a test's guest\n"},
		{[]string{"none-such"}, 127, "", ""},
	} {
		var out, errs bytes.Buffer
		exit, err := v.Command(t.Context(), nil, Command{Argv: c.argv, Stdout: &out, Stderr: &errs})
		if err != nil {
			t.Fatal(err)
		}
		if exit.Status != c.status || out.String() != c.out || errs.String() != c.errs {
			t.Errorf("%q: %+v, %q, %q", c.argv, exit, out.String(), errs.String())
		}
	}
}

func TestExitOf(t *testing.T) {
	for script, want := range map[string]int{
		"true": 0, "exit 3": 3, "kill -KILL $$": 137, "sleep 5 & exit 0": 0, "sleep 5 & exit 7": 7,
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdout, cmd.WaitDelay = &bytes.Buffer{}, 10*time.Millisecond
		if got := exitOf(cmd, cmd.Run()); got.Status != want {
			t.Errorf("%q: %+v, want %d", script, got, want)
		}
	}
	cmd := exec.Command("/none/such")
	if got := exitOf(cmd, cmd.Run()); got.Status != 127 || !strings.Contains(got.Text, "--with PACKAGE") {
		t.Errorf("%+v", got)
	}
	cmd = exec.Command("/etc/passwd")
	if got := exitOf(cmd, cmd.Run()); got.Status != 126 || got.Text == "" {
		t.Errorf("%+v", got)
	}
}

func TestCommandOfAGuestThatSaysNothing(t *testing.T) {
	fakeQEMU(t, "skip x\nbye\n")
	_, err := testVM(testGuest()).Command(t.Context(), nil, Command{Argv: []string{"x"}, Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), ErrNoExit.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestCommandsOutputAndExit(t *testing.T) {
	fakeQEMU(t, `say '"kind":"output","text":"stdout","data":"YQD/"'
say '"kind":"output","text":"stderr","data":"Yg=="'
say '"kind":"exit","exit":{"status":137}'
bye
`)
	var out, errs bytes.Buffer
	exit, err := testVM(testGuest()).Command(t.Context(), nil, Command{Argv: []string{"x"}, Stdout: &out, Stderr: &errs})
	if err != nil || exit != (record.Exit{Status: 137}) || out.String() != "a\x00\xff" || errs.String() != "b" {
		t.Errorf("%+v, %v, %q, %q", exit, err, out.String(), errs.String())
	}
}
