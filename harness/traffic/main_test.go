// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"skleak/internal/testkit"
)

// TestMain runs the tests in a network namespace of their own.
func TestMain(m *testing.M) {
	if !testkit.Inside() {
		os.Exit(testkit.Again(syscall.CLONE_NEWNET))
	}
	if err := quietLinks(); err != nil {
		fmt.Fprintln(os.Stderr, "turn IPv6 off in the tests' namespace:", err)
		os.Exit(1)
	}
	os.Exit(testkit.Main(m, testkit.Files()))
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
