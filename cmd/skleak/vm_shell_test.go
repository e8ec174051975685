// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// typist types into a terminal and reads what comes.
type typist struct {
	t        *testing.T
	terminal *os.File
	// heard is what comes; it is closed when nobody has the terminal open any more.
	heard chan string
	seen  string
}

func newTypist(t *testing.T, terminal *os.File) *typist {
	y := &typist{t: t, terminal: terminal, heard: make(chan string, 1000)}
	go func() {
		defer close(y.heard)
		piece := make([]byte, 4096)
		for {
			n, err := terminal.Read(piece)
			if err != nil {
				return
			}
			y.heard <- string(piece[:n])
		}
	}()
	return y
}

// await waits until text has come, and forgets what came up to then.
func (y *typist) await(text string) {
	y.t.Helper()
	late := time.After(time.Minute)
	for !strings.Contains(y.seen, text) {
		select {
		case more, open := <-y.heard:
			if !open {
				y.t.Fatalf("the terminal was closed before %q: %q", text, y.seen)
			}
			y.seen += more
		case <-late:
			y.t.Fatalf("wait for %q: the terminal has %q", text, y.seen)
		}
	}
	_, y.seen, _ = strings.Cut(y.seen, text)
}

func (y *typist) enter(text string) {
	y.t.Helper()
	if _, err := io.WriteString(y.terminal, text); err != nil {
		y.t.Fatal(err)
	}
}

// TestShellInGuest has Ctrl-C end what runs in the guest's shell, and neither
// the shell nor QEMU.
func TestShellInGuest(t *testing.T) {
	needsGuest(t)
	if _, err := exec.LookPath("busybox"); err != nil {
		t.Skipf("the guest's shell is busybox: %v", err)
	}
	cmd := exec.Command("skleak", "vm", "shell", "--kernel", "debian:6.1")
	cmd.Env = append(os.Environ(), "TERM=dumb")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 33, Cols: 111})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = terminal.Close()
	})
	y := newTypist(t, terminal)
	y.await(" # ")
	y.enter("stty size; echo up $((6 * 7)); sleep 1000\n")
	y.await("33 111\r")
	y.await("up 42")
	y.enter("\x03")
	y.await(" # ")
	y.enter("echo ended with $?; skleak list | grep -o tun/unread | tail -n 1; exit\n")
	y.await("ended with 130")
	y.await("\ntun/unread")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %q", err, y.seen)
	}
}

// A terminal is what a shell needs, and QEMU; either is told.
func TestShellWithoutTerminal(t *testing.T) {
	needsGuest(t)
	_, errs, status := skleak(t, "vm", "shell", "--kernel", "debian:6.1")
	if status != exitUsage || !strings.Contains(errs, "wants a terminal as its input") {
		t.Errorf("exit status %d: %s", status, errs)
	}
	binary, err := exec.LookPath("skleak")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(binary))
	_, errs, status = skleak(t, "vm", "run", "--kernel", "debian:6.1", "tun/unread")
	if status != exitUsage || !strings.Contains(errs, "apt install qemu-system-x86") {
		t.Errorf("exit status %d: %s", status, errs)
	}
}
