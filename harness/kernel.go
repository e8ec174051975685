// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/record"
)

// Kernel describes the running kernel, as uname(2) and /proc/cmdline have it.
func Kernel() record.Kernel {
	var u unix.Utsname
	k := record.Kernel{Source: "host"}
	if unix.Uname(&u) == nil {
		k.Release = unix.ByteSliceToString(u.Release[:])
		k.Version = unix.ByteSliceToString(u.Version[:])
		k.Arch = unix.ByteSliceToString(u.Machine[:])
	}
	if b, err := os.ReadFile("/proc/cmdline"); err == nil {
		k.Cmdline = strings.TrimSpace(string(b))
	}
	return k
}
