// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"skleak/record"
	"skleak/record/kerneltest"
)

// asOther is set in a copy of this test that runs as root of a user namespace.
const asOther = "SKLEAK_LEDGER_TEST_USERNS"

// In a user namespace its root is an ordinary user: no ledger, and told why.
func TestOpenWithoutPrivileges(t *testing.T) {
	if os.Getenv(asOther) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestOpenWithoutPrivileges$", "-test.v")
		cmd.Env = append(os.Environ(), asOther+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("no user namespaces for this user")
		}
		if err != nil || !strings.Contains(string(out), "PASS") {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	l, err := Open(Config{Began: time.Now()})
	var missing *record.UnsupportedError
	if !errors.As(err, &missing) {
		t.Fatalf("opened %v, %v; want a record.UnsupportedError", l, err)
	}
	if !strings.Contains(record.WithHint(err), "sudo") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the reader is told %q", err)
	}
}

// What Open opens goes with Close, descriptors and goroutine.
func TestOpenAndClose(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("perf events of the whole machine: run as root")
	}
	before := openFiles(t)
	l, err := Open(Config{Rules: Rules{PID: int32(os.Getpid())}, Devices: []string{"none0"}, Began: time.Now()})
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		kerneltest.SkipOrFail(t, traceable(), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	h, err := Hold(true)
	if err := errors.Join(err, l.Begin(), l.Close(), h.Close()); err != nil {
		t.Fatal(err)
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// What no later record of a ring tells of is counted by the events themselves.
func TestLossesAreCountedWithoutRecords(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("perf events of the whole machine: run as root")
	}
	formats, err := readFormats()
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		t.Skipf("not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	only := map[Kind]Format{Consume: formats[Consume]}
	cpus, err := onlineCPUs()
	if err != nil {
		t.Fatal(err)
	}
	p, err := openPerf(cpus, only, nil)
	if errors.As(err, &missing) {
		t.Skipf("not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	if !p.counts {
		t.Skip("this kernel has no PERF_FORMAT_LOST")
	}
	if err := p.enable(); err != nil {
		t.Fatal(err)
	}
	if n, err := p.lostInAll(); n != 0 || err != nil {
		t.Fatalf("%d lost before anything came by, %v", n, err)
	}
	if err := freeMany(); err != nil {
		t.Fatal(err)
	}
	if n, err := p.lostInAll(); n == 0 || err != nil || p.lost != 0 {
		t.Errorf("%d lost in rings that nobody read, %v; %d by records", n, err, p.lost)
	}
}

// freeMany lets the kernel free more skbs than any ring has room for samples of.
func freeMany() error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var b [1]byte
	for range mostRing / 16 {
		if _, err = syscall.Write(fds[0], b[:]); err == nil {
			_, err = syscall.Read(fds[1], b[:])
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, syscall.Close(fds[0]), syscall.Close(fds[1]))
}
