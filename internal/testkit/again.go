// SPDX-License-Identifier: GPL-2.0-only

package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// again is set in the second start of a test binary.
const again = "SKLEAK_TEST_AGAIN"

// Inside says that this is the second start.
func Inside() bool { return os.Getenv(again) != "" }

// Again starts the test binary once more, in new namespaces (CLONE_NEWNET, ...),
// and returns its exit status: only a process started in one has all its threads
// there. An ordinary user gets a user namespace around them.
func Again(namespaces uintptr) int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), again+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
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
		fmt.Fprintln(os.Stderr, "run the tests in namespaces of their own:", err)
		return 1
	}
	return 0
}
