// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// WorkerCommand is the word after the program's name that makes it the one
// child of a guest's /init.
const WorkerCommand = "guest-worker"

// IsInit says whether this process is a guest's /init. Process 1 of a
// container is none: it has no request.
func IsInit() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(guestRequest)
	return err == nil
}

// system is what /init wants of the kernel.
type system interface {
	// Mount mounts a file system on target, which is made if it is missing.
	Mount(source, target, fstype string) error
	// Load loads a module from an uncompressed file.
	Load(file string) error
	// LoopbackUp brings lo up.
	LoopbackUp() error
	// Start starts a program with the console as its terminal if tty is set.
	Start(argv, env []string, tty bool) (pid int, err error)
	// Wait waits for any child to end.
	Wait() (pid int, how string, err error)
	// PowerOff ends the machine and does not return.
	PowerOff() error
}

// Init is process 1 of a guest: it mounts, loads modules, starts the worker,
// waits for it and for whatever is left to it, and powers off. It returns only
// if powering off failed.
func Init() int {
	i := guestInitProcess{system: linux{}, console: os.Stderr, request: guestRequest, notes: guestNotes}
	if err := i.run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", initPrefix, err)
	}
	if err := (linux{}).PowerOff(); err != nil {
		fmt.Fprintf(os.Stderr, "%spower off: %v\n", initPrefix, err)
	}
	return 1
}

// guestInitProcess is process 1 with its surroundings.
type guestInitProcess struct {
	system  system
	console io.Writer
	request string
	// notes is the file for what the report should tell.
	notes string
}

func (i guestInitProcess) run() error {
	if err := i.mount(); err != nil {
		return err
	}
	req, err := readRequest(i.request)
	if err != nil {
		return err
	}
	if err := i.note(i.load(req.Modules)); err != nil {
		return err
	}
	if err := i.system.LoopbackUp(); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	argv, env := []string{guestInit, WorkerCommand}, []string{"PATH=" + guestPath, "HOME=/root", "TERM=dumb"}
	if req.Mode == ModeShell {
		argv = []string{guestBusybox, "sh", "-c", shellScript(req)}
		env = append(env[:2], req.Env...)
	}
	pid, err := i.system.Start(argv, env, req.Mode == ModeShell)
	if err != nil {
		return fmt.Errorf("start %s: %w", strings.Join(argv, " "), err)
	}
	return i.reap(pid, req.Mode)
}

func (i guestInitProcess) mount() error {
	for _, m := range []struct{ source, target, fstype string }{
		{"proc", "/proc", "proc"},
		{"sysfs", "/sys", "sysfs"},
		{"devtmpfs", "/dev", "devtmpfs"},
		{"tmpfs", "/run", "tmpfs"},
		{"tmpfs", "/tmp", "tmpfs"},
	} {
		// NB: with CONFIG_DEVTMPFS_MOUNT the kernel may have mounted /dev itself.
		if err := i.system.Mount(m.source, m.target, m.fstype); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	return nil
}

// load loads the modules and tells of those that would not.
func (i guestInitProcess) load(modules []guestModule) []string {
	var notes []string
	for _, m := range modules {
		err := i.system.Load(m.File)
		if err != nil && !errors.Is(err, unix.EEXIST) && !m.Soft {
			notes = append(notes, fmt.Sprintf("module %s was not loaded: %v", m.Name, err))
		}
	}
	return notes
}

// note keeps notes for the worker.
func (i guestInitProcess) note(notes []string) error {
	if len(notes) == 0 {
		return nil
	}
	data, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	return os.WriteFile(i.notes, data, 0o600)
}

// reap waits for children, which all orphans become, until pid has ended.
func (i guestInitProcess) reap(pid int, mode Mode) error {
	for {
		who, how, err := i.system.Wait()
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for process %d: %w", pid, err)
		case who == pid && how != "" && mode != ModeShell:
			return fmt.Errorf("%s ended: %s", WorkerCommand, how)
		case who == pid:
			return nil
		}
	}
}
