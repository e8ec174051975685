// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"skleak/harness/experiment"
	"skleak/record"
)

// denied is set in a copy of this test to the system call it must be denied,
// and the error that gives.
const denied = "SKLEAK_TEST_DENIED"

// What the ledger needs may be missing: the reader is told in one line, and the
// run goes on. A filter on system calls plays the kernel or user that lacks it.
func TestLedgerMissing(t *testing.T) {
	needRoot(t)
	if text := os.Getenv(denied); text != "" {
		runDenied(t, text)
		return
	}
	const none = "no ledger: "
	tests := []struct {
		name  string
		call  int
		errno unix.Errno
		// wants are in the one line; by is what the ledger was kept with all the same.
		wants []string
		by    string
	}{
		{"no tracefs", unix.SYS_FSOPEN, unix.ENODEV, []string{none, "mount tracefs", "CONFIG_FTRACE"}, ""},
		{"an ordinary user", unix.SYS_FSOPEN, unix.EPERM, []string{none, "mount tracefs", "sudo"}, ""},
		{"before 5.2", unix.SYS_FSOPEN, unix.ENOSYS, []string{none, "5.2"}, ""},
		{"perf_event_paranoid 3", unix.SYS_PERF_EVENT_OPEN, unix.EACCES, []string{none, "net_dev_queue by perf_event_open", "sudo", "kernel.perf_event_paranoid"}, ""},
		{"no perf events", unix.SYS_PERF_EVENT_OPEN, unix.ENOSYS, []string{none, "CONFIG_PERF_EVENTS"}, ""},
		{"BPF forbidden", unix.SYS_BPF, unix.EPERM, []string{"tracepoints alone", "sudo"}, "perf tracepoints"},
		{"no BPF", unix.SYS_BPF, unix.ENOSYS, []string{"tracepoints alone", "CONFIG_BPF_SYSCALL"}, "perf tracepoints"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestLedgerMissing$", "-test.v")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", denied, tt.call, int(tt.errno)))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			notes := slices.DeleteFunc(linesOf(string(out), "note: "), ofTheMachine)
			if len(notes) != 1 {
				t.Fatalf("%d notes in %s", len(notes), out)
			}
			for _, want := range tt.wants {
				if !strings.Contains(notes[0], want) {
					t.Errorf("%q is not in the note %q", want, notes[0])
				}
			}
			if got := linesOf(string(out), "trace: "); len(got) != 1 || got[0] != fmt.Sprintf("3000 sent, ledger %q", tt.by) {
				t.Errorf("the run gave %q", got)
			}
		})
	}
}

// ofTheMachine is whether a note is of what some killed run left (the tests of
// another package kill theirs, at the same time), or of a blind processor.
func ofTheMachine(note string) bool {
	return strings.HasPrefix(note, "freed ") || strings.HasPrefix(note, "perf shows nothing ")
}

// linesOf are the rests of the lines that begin with a word.
func linesOf(text, word string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}

// runDenied runs a scenario with a ledger, denied what text says, and prints
// what came of it.
func runDenied(t *testing.T, text string) {
	var call, errno int
	if _, err := fmt.Sscan(text, &call, &errno); err != nil {
		t.Fatal(err)
	}
	deny(t, call, errno)
	l := NewLocal()
	l.Options.Ledger, l.Options.Patience = experiment.LedgerOn, time.Millisecond
	for e, err := range l.Run(t.Context(), pick(t, "tun/unread")) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == record.EventNote:
			fmt.Println("note:", e.Text)
		case e.Kind == record.EventTrouble, e.Kind == record.EventSkip:
			t.Fatal(e.Text)
		case e.Kind == record.EventTrace:
			by := ""
			if e.Trace.Ledger != nil {
				by = e.Trace.Ledger.By
			}
			fmt.Printf("trace: %d sent, ledger %q\n", e.Trace.Sent, by)
		}
	}
}

// deny makes a system call fail in all threads of this process and in what it
// starts, until it ends.
func deny(t *testing.T, call, errno int) {
	const nr = 0 // of struct seccomp_data
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: nr},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(call), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: unsafe.SliceData(code)}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if e != 0 {
		t.Skipf("this kernel filters no system calls: %v", e)
	}
}
