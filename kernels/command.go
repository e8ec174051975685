// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"skleak/internal/capture"
)

// command is one run of apt or dpkg.
type command struct {
	argv []string
	dir  string
	// out takes standard output; nil drops it.
	out io.Writer
	// files are open in it from descriptor 3 on.
	files []*os.File
}

// maxMessage bounds what is kept of a program's messages, in bytes.
const maxMessage = 64 << 10

// run waits for the program; what it said on standard error comes back. The
// program dies with this process, so a killed fetch leaves nobody writing.
func (c command) run(ctx context.Context) (string, error) {
	// NB: the death signal comes when the thread that forked ends, not the
	// process (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.ExtraFiles = c.files
	cmd.WaitDelay = 5 * time.Second
	messages := &capture.Tail{Limit: maxMessage}
	cmd.Stdout, cmd.Stderr = c.out, messages
	err := cmd.Run()
	said := strings.TrimSpace(messages.String())
	if errors.Is(err, exec.ErrNotFound) {
		return said, fmt.Errorf("%s: %w; Debian kernels need apt and dpkg (a build tree or a bzImage does not)", c.argv[0], err)
	}
	if err != nil && ctx.Err() != nil {
		return said, fmt.Errorf("%s: %w", c.argv[0], context.Cause(ctx))
	}
	if err != nil {
		return said, &CommandError{Command: strings.Join(c.argv, " "), Said: said, Err: err}
	}
	return said, nil
}

// CommandError is a program's failure with what it said.
type CommandError struct {
	Command string
	Said    string
	Err     error
}

func (e *CommandError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s: %v", e.Command, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Command, e.Err, e.Said)
}

func (e *CommandError) Unwrap() error { return e.Err }
