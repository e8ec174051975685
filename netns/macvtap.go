// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

const macvtapHint = "run as root: the character device of a macvtap has to be made with mknod, which a user namespace may not"

// openMacvtap opens the character device of the macvtap name, which is there
// already, and starts its reader.
func openMacvtap(s *space, name string, r scenarios.Reader) (*tunnel, error) {
	index, err := linkIndex(s, name)
	if err != nil {
		return nil, fmt.Errorf("open macvtap %s: %w", name, err)
	}
	var f *os.File
	err = s.do(func() error {
		var err error
		f, err = openTapDevice(name, index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open macvtap %s: %w", name, err)
	}
	p, err := newPump(r, f)
	if err != nil {
		return nil, fmt.Errorf("start the reader of macvtap %s: %w", name, err)
	}
	return &tunnel{p}, nil
}

// openTapDevice gives the calling thread a mount namespace, where a sysfs of
// its network namespace tells the device's number and a tmpfs takes its node.
// Both go with the thread.
func openTapDevice(name string, index int) (*os.File, error) {
	if err := ownMounts(); err != nil {
		return nil, macvtapUnsupported(err)
	}
	// EBUSY: that very sysfs is on top already (fs/namespace.c, do_add_mount).
	if err := mountOver("sysfs", "/sys"); err != nil && !errors.Is(err, unix.EBUSY) {
		return nil, macvtapUnsupported(err)
	}
	tap := "tap" + strconv.Itoa(index)
	dev, err := os.ReadFile(filepath.Join("/sys/class/net", name, "macvtap", tap, "dev"))
	if err != nil {
		return nil, fmt.Errorf("find its character device: %w", err)
	}
	major, minor, err := parseDev(string(dev))
	if err != nil {
		return nil, err
	}
	if err := mountOver("tmpfs", "/sys"); err != nil {
		return nil, macvtapUnsupported(err)
	}
	path := filepath.Join("/sys", tap)
	if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(major, minor))); err != nil {
		return nil, macvtapUnsupported(&os.PathError{Op: "mknod", Path: tap, Err: err})
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, macvtapUnsupported(err)
	}
	return f, nil
}

// ownMounts moves the calling thread into a mount namespace of its own, from
// which no mount gets out.
func ownMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make its mounts private: %w", err)
	}
	return nil
}

func mountOver(fstype, dir string) error {
	if err := unix.Mount(fstype, dir, fstype, unix.MS_NOSUID|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", fstype, dir, err)
	}
	return nil
}

func macvtapUnsupported(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return &record.UnsupportedError{Feature: "macvtap device", Hint: macvtapHint, Err: err}
	}
	return err
}

// parseDev reads MAJOR:MINOR as sysfs writes it.
func parseDev(text string) (major, minor uint32, err error) {
	a, b, ok := strings.Cut(strings.TrimSpace(text), ":")
	ma, errMajor := strconv.ParseUint(a, 10, 12)
	mi, errMinor := strconv.ParseUint(b, 10, 20)
	if !ok || errMajor != nil || errMinor != nil {
		return 0, 0, fmt.Errorf("device number %q is not MAJOR:MINOR", text)
	}
	return uint32(ma), uint32(mi), nil
}
