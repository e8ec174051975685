// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"skleak/record"
)

// Exit statuses of a command that could not be started, as POSIX's shell has
// them.
const (
	exitNoStart = 126
	exitNoFile  = 127
	exitSignal  = 128
)

// leftRunning is how long the output of what a command started and left behind is
// waited for after its end.
const leftRunning = 500 * time.Millisecond

// output sends what a command writes as events.
type output struct {
	enc  *record.Encoder
	name string
}

// Write implements io.Writer.
func (o output) Write(p []byte) (int, error) {
	if err := o.enc.Encode(record.Event{Kind: record.EventOutput, Text: o.name, Data: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// command runs the request's command and tells how it ended.
func (w worker) command(ctx context.Context, req request, enc *record.Encoder) error {
	if err := applets(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, req.Argv[0], req.Argv[1:]...)
	cmd.Stdout, cmd.Stderr = output{enc, record.OutputOut}, output{enc, record.OutputErr}
	cmd.Dir = "/root"
	// What it left running may hold its output open; the guest goes with the command.
	cmd.WaitDelay = leftRunning
	err := cmd.Run()
	return enc.Encode(record.Event{Kind: record.EventExit, Exit: exitOf(cmd, err)})
}

// exitOf is how a command ended, as a shell would have it.
func exitOf(cmd *exec.Cmd, err error) *record.Exit {
	var ended *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		return &record.Exit{} // only an exit status of 0 leaves room for that error
	case errors.As(err, &ended):
		if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return &record.Exit{Status: exitSignal + int(status.Signal())}
		}
		return &record.Exit{Status: ended.ExitCode()}
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return &record.Exit{Status: exitNoFile, Text: fmt.Sprintf("the guest has no program %s; --with PACKAGE brings those of a Debian package", cmd.Args[0])}
	case err != nil:
		return &record.Exit{Status: exitNoStart, Text: fmt.Sprintf("start %s in the guest: %v", cmd.Args[0], err)}
	}
	return &record.Exit{}
}

// applets makes busybox's programs, and a shell where no package has one.
func applets() error {
	if _, err := os.Stat(guestBusybox); err != nil {
		return nil //nolint:nilerr // the machine had no busybox to give
	}
	if err := os.MkdirAll(guestApplets, 0o755); err != nil {
		return err
	}
	if text, err := exec.Command(guestBusybox, "--install", "-s", guestApplets).CombinedOutput(); err != nil {
		return fmt.Errorf("set up busybox: %w: %s", err, text)
	}
	if err := os.Symlink(guestBusybox, "/bin/sh"); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
