// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/internal/testkit"
)

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
	case !testkit.Inside():
		os.Exit(testkit.Again(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS))
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println("make mounts private:", err)
		os.Exit(1)
	}
	code := m.Run()
	if left := testkit.Left(leftNow, testkit.NoChildren, linksLeft); code == 0 && len(left) > 0 {
		fmt.Printf("left behind:\n\t%s\n", strings.Join(left, "\n\t"))
		code = 1
	}
	os.Exit(code)
}

// leftNow lists descriptors of the kinds built here, and threads in a foreign
// namespace.
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
	return left
}

// linksLeft lists links but lo.
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
