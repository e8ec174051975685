// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/u-root/u-root/pkg/ldd"

	"skleak/record"
	"skleak/scenarios"
)

// Command is a command to run in a guest.
type Command struct {
	// Argv is the program and its arguments. A program with a slash that this
	// machine has is taken along with its libraries; any other is looked for in the
	// guest.
	Argv []string
	// Stdout and Stderr get what it writes, as it comes.
	Stdout, Stderr io.Writer
}

// ErrNoExit says that a guest ended without a word on its command.
var ErrNoExit = errors.New("the guest ended without a word on how its command did")

// Command boots a guest with the modules and network cards of list, runs c there
// and gives its exit status, as a shell has it. A guest that dies is a *BootError
// or an *InfraError.
func (v VM) Command(ctx context.Context, list []scenarios.Scenario, c Command) (exit record.Exit, err error) {
	if err := v.ready(); err != nil {
		return record.Exit{}, err
	}
	v.all = list
	if c.Argv, v.Extra, err = takeAlong(c.Argv); err != nil {
		return record.Exit{}, err
	}
	// Without busybox the guest has the fewer programs.
	if busybox, err := findBusybox(); err == nil {
		v.Extra[guestBusybox] = busybox
	}
	g, err := v.boot(request{Mode: ModeCommand, Argv: c.Argv, Env: []string{"TERM=dumb"}})
	if err != nil {
		return record.Exit{}, err
	}
	var told *record.Exit
	var failed error
	err = g.follow(ctx, func(e record.Event) bool {
		switch e.Kind {
		case record.EventOutput:
			out := c.Stdout
			if e.Text == record.OutputErr {
				out = c.Stderr
			}
			_, failed = out.Write(e.Data)
		case record.EventNote:
			_, failed = fmt.Fprintln(c.Stderr, e.Text)
		case record.EventExit:
			told = e.Exit
		}
		return failed == nil
	})
	if failed != nil {
		err = failed
	}
	if err = errors.Join(err, g.close()); err != nil {
		return record.Exit{}, err
	}
	if told == nil {
		return record.Exit{}, g.infra(ErrNoExit)
	}
	return *told, nil
}

// takeAlong finds the program of argv on this machine, if it is named by a path,
// and says what of it the guest gets.
func takeAlong(argv []string) (inGuest []string, files map[string]string, err error) {
	files = map[string]string{}
	if len(argv) == 0 {
		return nil, nil, errors.New("there is no command to run")
	}
	if filepath.Base(argv[0]) == argv[0] {
		return argv, files, nil
	}
	from, err := filepath.Abs(argv[0])
	if err != nil {
		return nil, nil, err
	}
	st, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) && filepath.IsAbs(argv[0]) {
		return argv, files, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("take the command along into the guest: %w", err)
	}
	if !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
		return nil, nil, fmt.Errorf("take the command along into the guest: %s is no file that can be run", from)
	}
	libraries, err := ldd.List(from)
	if err != nil {
		libraries = nil // a script, or static
	}
	for _, lib := range libraries {
		files[lib] = lib
	}
	// NB: not at its own path: the guest mounts over /tmp and /run.
	inGuest = append([]string{path.Join(guestTaken, filepath.Base(from))}, argv[1:]...)
	files[inGuest[0]] = from
	return inGuest, files, nil
}
