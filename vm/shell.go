// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/term"

	"skleak/internal/capture"
	"skleak/scenarios"
)

// Shell boots a guest with the modules of list and gives a prompt in it on
// this process's terminal. It returns when the shell has ended.
func (v VM) Shell(ctx context.Context, list []scenarios.Scenario) (err error) {
	if err := v.ready(); err != nil {
		return err
	}
	stdin := int(os.Stdin.Fd())
	state, err := term.GetState(stdin)
	if err != nil {
		return errors.New("a shell wants a terminal as its input; `skleak vm run` needs none")
	}
	busybox, err := findBusybox()
	if err != nil {
		return err
	}
	v.all = list
	v.Extra = map[string]string{guestBusybox: busybox}
	g := &guest{vm: v, log: newConsoleLog(), stderr: &capture.Head{Limit: maxStderr}, quit: make(chan struct{})}
	req := request{Mode: ModeShell, Env: []string{"TERM=" + os.Getenv("TERM"), `PS1=\h \w # `}}
	if columns, rows, err := term.GetSize(stdin); err == nil {
		req.Rows, req.Columns = rows, columns
	}
	defer func() { err = errors.Join(err, term.Restore(stdin, state)) }()
	if err := g.startShell(req); err != nil {
		return &InfraError{Kernel: string(v.Kernel.Name), Err: err}
	}
	select {
	case <-g.qemu.done:
	case <-ctx.Done():
	}
	if err := g.close(); err != nil {
		return err
	}
	if g.qemu.err != nil && ctx.Err() == nil {
		return g.infra(fmt.Errorf("QEMU: %s", g.howEnded()))
	}
	return ctx.Err()
}

// startShell starts QEMU in our own process group: it reads the terminal.
func (g *guest) startShell(req request) (err error) {
	program, err := findQEMU()
	if err != nil {
		return err
	}
	initrd, path, err := g.initrd(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, initrd.Close()) }()
	g.args = append([]string{program}, commandLine(
		g.vm.board(),
		image{vmlinux: g.vm.Kernel.Vmlinux, initrd: path},
		console{interactive: true},
	)...)
	cmd := exec.Command(g.args[0], g.args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, g.stderr
	// The initramfs must be where the non-interactive guest has it, too.
	cmd.ExtraFiles = []*os.File{initrd, initrd, initrd}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	g.qemu, err = startProcess(cmd)
	return err
}

// findBusybox finds a static busybox on this machine, or says how to get it.
func findBusybox() (string, error) {
	const get = "a shell in a guest is busybox; on Debian: apt install busybox-static"
	file, err := exec.LookPath("busybox")
	if err != nil {
		return "", fmt.Errorf("find busybox: %w; %s", err, get)
	}
	if err := checkStatic(file); err != nil {
		return "", fmt.Errorf("%w; %s", err, get)
	}
	return file, nil
}

// shellScript is what the guest's busybox begins with.
func shellScript(req request) string {
	script := fmt.Sprintf("%[1]s mkdir -p %[2]s; %[1]s --install -s %[2]s; [ -e /bin/sh ] || ln -s %[1]s /bin/sh; ", guestBusybox, guestApplets)
	if req.Rows > 0 && req.Columns > 0 {
		script += fmt.Sprintf("stty rows %d columns %d; ", req.Rows, req.Columns)
	}
	return script + "hostname skleak; exec " + guestBusybox + " sh"
}
