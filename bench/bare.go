// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cavaliergopher/cpio"
)

// Where vm.VM.Keep has the initramfs and the QEMU command.
const (
	keptInitramfs = "initramfs.cpio"
	keptCommand   = "qemu"
)

// bareDeadline bounds a bare boot.
const bareDeadline = 5 * time.Minute

// writeBare puts an archive with the bare init in the place of the guest's.
func writeBare(ctx context.Context, dir string) error {
	init, err := compile(ctx, dir, "reboot", bareSource, "-static")
	if err != nil {
		return err
	}
	program, err := os.ReadFile(init)
	if err != nil {
		return fmt.Errorf("read the bare init: %w", err)
	}
	var archive bytes.Buffer
	w := cpio.NewWriter(&archive)
	if err := w.WriteHeader(&cpio.Header{Name: "init", Mode: cpio.TypeReg | 0o755, Size: int64(len(program)), Links: 1}); err != nil {
		return fmt.Errorf("write the bare initramfs: %w", err)
	}
	if _, err := w.Write(program); err != nil {
		return fmt.Errorf("write the bare initramfs: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write the bare initramfs: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, keptInitramfs), archive.Bytes(), 0o600)
}

// plainCmdline boots any kernel without a wait that a guest has no use for, and
// spares it nothing else.
const plainCmdline = "console=ttyS0 panic=-1 quiet cryptomgr.notests no_timer_check tsc=reliable mitigations=off random.trust_cpu=on"

// withCmdline is a QEMU command with another command line for its kernel, which
// comes last.
func withCmdline(command, cmdline string) (string, error) {
	before, _, found := strings.Cut(command, " -append ")
	if !found {
		return "", fmt.Errorf("find the kernel's command line in %q", command)
	}
	return before + " -append '" + cmdline + "'", nil
}

// bareBoot runs the kept QEMU command until QEMU ends, and says how many seconds
// that took. A cmdline that is not "" takes the place of the kernel's own.
func bareBoot(ctx context.Context, dir, cmdline string) (seconds float64, err error) {
	data, err := os.ReadFile(filepath.Join(dir, keptCommand))
	if err != nil {
		return 0, fmt.Errorf("read the QEMU command: %w", err)
	}
	line := string(data)
	if cmdline != "" {
		if line, err = withCmdline(line, cmdline); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, bareDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+line)
	defer func() { err = errors.Join(err, closeAll(cmd.ExtraFiles)) }()
	// The command names a guest's two channels.
	for range 2 {
		near, far, err := socketPair()
		if err != nil {
			return 0, err
		}
		defer near.Close() //nolint:errcheck // nothing goes through it
		cmd.ExtraFiles = append(cmd.ExtraFiles, far)
	}
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began).Seconds()
	if err == nil && !strings.Contains(string(said), "reboot: Restarting system") {
		err = errors.New("it ended without a restart")
	}
	if err != nil {
		return 0, fmt.Errorf("boot %s with a bare init: %w; it said: %s", bootKernel, errors.Join(err, ctx.Err()), said)
	}
	return took, nil
}

func socketPair() (near, far *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a channel for a guest: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far"), nil
}

func closeAll(files []*os.File) error {
	var all error
	for _, f := range files {
		all = errors.Join(all, f.Close())
	}
	return all
}
