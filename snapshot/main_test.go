// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"skleak/internal/testkit"
)

// NB: as the sandbox child does, so that no thread that entered another
// namespace can be the main one, which Go keeps (golang/go#53210).
//
//nolint:gochecknoinits // only while inits run is the main goroutine sure to be on the main thread
func init() { runtime.LockOSThread() }

// TestMain runs the tests in a new network and mount namespace.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Println("those of these tests that make links are skipped without root")
		os.Exit(m.Run())
	}
	if !testkit.Inside() {
		os.Exit(testkit.Again(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS))
	}
	os.Exit(testkit.Main(m, testkit.Files(), testkit.NoChildren))
}
