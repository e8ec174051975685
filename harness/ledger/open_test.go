package ledger

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

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
	var missing *UnavailableError
	if !errors.As(err, &missing) {
		t.Fatalf("opened %v, %v; want an UnavailableError", l, err)
	}
	if !strings.Contains(err.Error(), "sudo") || strings.Contains(err.Error(), "\n") {
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
	var missing *UnavailableError
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
