// SPDX-License-Identifier: GPL-2.0-only

// Package kerneltest lets a test be skipped where the running kernel is known to
// lack what it is about, and nowhere else: a test that skips on any error cannot
// fail.
package kerneltest

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Feature is something a kernel may have.
type Feature struct {
	// Since is the version from which on it is there: "5.5".
	Since string
	// Options are what it takes of the configuration, without CONFIG_.
	Options []string
}

// SkipOrFail skips t if the running kernel is known to lack f, and says from
// which version on that would be a failure. On any other kernel why is one.
func SkipOrFail(t testing.TB, f Feature, why error) {
	t.Helper()
	release, err := running()
	if err != nil {
		t.Fatal(err)
	}
	lacking, reason := f.lacking(release, readConfig(release))
	if !lacking {
		t.Fatalf("kernel %s must have this (%s): %v", release, reason, why)
	}
	t.Skipf("%s; a failure from %s on: %v", reason, f.Since, why)
}

// Has reports whether the running kernel has an option, as told by its
// configuration; known is false where that cannot be read.
func Has(t testing.TB, option string) (has, known bool) {
	t.Helper()
	release, err := running()
	if err != nil {
		t.Fatal(err)
	}
	c := readConfig(release)
	return c[option], c != nil
}

// lacking decides by version and configuration; a nil one is not known, and
// then the kernel is taken to have the options.
func (f Feature) lacking(release string, c config) (lacking bool, reason string) {
	if older(release, f.Since) {
		return true, fmt.Sprintf("kernel %s is older than %s", release, f.Since)
	}
	if c == nil {
		return false, fmt.Sprintf("it is %s or later, and its configuration cannot be read in /proc/config.gz or /boot", f.Since)
	}
	for _, option := range f.Options {
		if !c[option] {
			return true, fmt.Sprintf("kernel %s is built without CONFIG_%s", release, option)
		}
	}
	return false, fmt.Sprintf("it is %s or later, with CONFIG_%s", f.Since, strings.Join(f.Options, ", CONFIG_"))
}

// older compares the first two numbers of a release with a version.
func older(release, version string) bool {
	var r, v [2]int
	// What cannot be read is 0, which is older than all.
	_, _ = fmt.Sscanf(release, "%d.%d", &r[0], &r[1])
	_, _ = fmt.Sscanf(version, "%d.%d", &v[0], &v[1])
	return r[0] < v[0] || r[0] == v[0] && r[1] < v[1]
}

func running() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", os.NewSyscallError("uname", err)
	}
	return unix.ByteSliceToString(u.Release[:]), nil
}

// config are the options that are on, built in or as a module.
type config map[string]bool

// readConfig reads that of the running kernel; nil if there is none to read.
func readConfig(release string) config {
	if f, err := os.Open("/proc/config.gz"); err == nil {
		defer func() { _ = f.Close() }()
		text, err := gzip.NewReader(f)
		if err != nil {
			return nil
		}
		c, err := parse(text)
		if err != nil {
			return nil
		}
		return c
	}
	f, err := os.Open("/boot/config-" + release)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	c, err := parse(f)
	if err != nil {
		return nil
	}
	return c
}

// parse reads lines like CONFIG_VETH=m.
func parse(r io.Reader) (config, error) {
	c := config{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "CONFIG_"), "=")
		if found && strings.HasPrefix(lines.Text(), "CONFIG_") && (value == "y" || value == "m") {
			c[name] = true
		}
	}
	if lines.Err() != nil {
		return nil, lines.Err()
	}
	if len(c) == 0 {
		return nil, errors.New("no option is on: this is no kernel's configuration")
	}
	return c, nil
}
