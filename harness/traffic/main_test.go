package traffic

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const inside = "SKLEAK_TEST_INSIDE"

// TestMain runs the tests in a network namespace of their own: only a process
// started in one has all its threads there.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(reexec())
	}
	flag.Parse()
	if err := quietLinks(); err != nil {
		fmt.Fprintln(os.Stderr, "turn IPv6 off in the tests' namespace:", err)
		os.Exit(1)
	}
	before := openFiles()
	code := m.Run()
	if code == 0 {
		code = leaked(before)
	}
	os.Exit(code)
}

// quietLinks keeps the kernel from sending packets of its own.
func quietLinks() error {
	for _, which := range []string{"all", "default"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0o644)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func reexec() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	}
	// NB: the parent-death signal follows the forking thread (golang/go#27505).
	runtime.LockOSThread()
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "run the tests in a network namespace:", err)
		return 1
	}
	return 0
}

// leaked waits a little for finalizers, then lists what is open and was not.
func leaked(before map[string]int) int {
	var extra []string
	for range 20 {
		runtime.GC()
		extra = nil
		for what, n := range openFiles() {
			if n > before[what] {
				extra = append(extra, fmt.Sprintf("%d × %s", n-before[what], what))
			}
		}
		if len(extra) == 0 {
			return 0
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "file descriptors leaked:", strings.Join(extra, ", "))
	return 1
}

// openFiles counts descriptors by what they are, without numbers that differ
// from one to the next and without the runtime's own.
func openFiles() map[string]int {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	open := map[string]int{}
	for _, e := range dir {
		what, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(what, "anon_inode:[event") {
			continue
		}
		kind, _, _ := strings.Cut(what, ":[")
		open[kind]++
	}
	return open
}
