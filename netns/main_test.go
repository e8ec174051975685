package netns

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inSandbox marks the test process that runs in namespaces of its own.
const inSandbox = "SKLEAK_NETNS_TEST"

// NB: as the sandbox child does, so that no thread that entered another
// namespace can be the main one, which Go keeps (golang/go#53210).
//
//nolint:gochecknoinits // only while inits run is the main goroutine sure to be on the main thread
func init() { runtime.LockOSThread() }

// TestMain runs the tests in a new network and mount namespace, as a sandbox
// child is, and fails when they leave something behind.
func TestMain(m *testing.M) {
	switch {
	case os.Geteuid() != 0:
		fmt.Println("these tests make network namespaces: those that do are skipped without root")
		os.Exit(m.Run())
	case os.Getenv(inSandbox) == "":
		os.Exit(reexec())
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println("make mounts private:", err)
		os.Exit(1)
	}
	code := m.Run()
	if left := leftovers(); code == 0 && len(left) > 0 {
		fmt.Printf("left behind:\n\t%s\n", strings.Join(left, "\n\t"))
		code = 1
	}
	os.Exit(code)
}

func reexec() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inSandbox+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	if err := cmd.Run(); err != nil {
		fmt.Println("tests in a sandbox:", err)
		return 1
	}
	return 0
}

// leftovers waits a while for what the kernel ends in its own time.
func leftovers() []string {
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left = leftNow(); len(left) == 0 {
			return nil
		}
	}
	return left
}

// leftNow lists descriptors of the kinds built here, threads in a foreign
// namespace, links but lo, and child processes.
func leftNow() []string {
	var left []string
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		for _, bad := range []string{"net:[", "socket:[", "/dev/net/tun", "/dev/tap", "/dev/skleak"} {
			if strings.HasPrefix(to, bad) {
				left = append(left, "descriptor of "+to)
			}
		}
	}
	own, _ := os.Readlink("/proc/self/ns/net")
	threads, _ := filepath.Glob("/proc/self/task/*/ns/net")
	for _, thread := range threads {
		if in, err := os.Readlink(thread); err == nil && in != own {
			left = append(left, "thread in "+in)
		}
	}
	children, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range children {
		if text, _ := os.ReadFile(file); len(strings.TrimSpace(string(text))) > 0 {
			left = append(left, "child processes "+string(text))
		}
	}
	return append(left, linksLeft()...)
}

func linksLeft() []string {
	s, err := ownSpace()
	if err != nil {
		return []string{err.Error()}
	}
	defer func() { _ = s.close() }()
	links, err := s.links()
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, l := range links {
		if !stays(l) {
			left = append(left, "link "+l.Attrs().Name)
		}
	}
	return left
}
