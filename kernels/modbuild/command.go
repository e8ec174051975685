// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// command is one run of a program.
type command struct {
	argv []string
	dir  string
	in   io.Reader
	// out takes standard output; nil joins it to what is told in an error.
	out io.Writer
	// messages takes standard error; nil leaves it to the error alone.
	messages io.Writer
	// env replaces the caller's environment, attr says what the process may do;
	// nil for both as the caller. files are open in it from descriptor 3 on.
	env   []string
	attr  *syscall.SysProcAttr
	files []*os.File
}

// maxMessage bounds what an error tells of a program's messages, in bytes.
const maxMessage = 4 << 10

// ErrNoTool says that a program is not installed.
var ErrNoTool = errors.New("not installed")

// packageOf names the Debian package of a program.
func packageOf(program string) string {
	switch program {
	case "spatch":
		return "coccinelle"
	case "xz":
		return "xz-utils"
	case "dpkg-deb":
		return "dpkg"
	case "ldd":
		return "libc-bin"
	}
	return program
}

func (c command) run(ctx context.Context) error {
	program, err := exec.LookPath(c.argv[0])
	if err != nil {
		return fmt.Errorf("%s: %w; apt-get install %s", c.argv[0], ErrNoTool, packageOf(c.argv[0]))
	}
	cmd := exec.CommandContext(ctx, program, c.argv[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout = c.dir, c.in, c.out
	env := c.env
	if env == nil {
		env = os.Environ()
	}
	cmd.Env = append(env, "LC_ALL=C", "MAKEFLAGS=")
	cmd.SysProcAttr, cmd.ExtraFiles = c.attr, c.files
	cmd.WaitDelay = 5 * time.Second
	var said strings.Builder
	cmd.Stderr = &said
	if c.messages != nil {
		cmd.Stderr = io.MultiWriter(&said, c.messages)
	}
	if c.out == nil {
		cmd.Stdout = &said
	}
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", c.argv[0], context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", c.argv[0], err, tail(strings.TrimSpace(said.String())))
	}
	return nil
}

func tail(s string) string {
	if len(s) > maxMessage {
		s = "…" + s[len(s)-maxMessage:]
	}
	return s
}
