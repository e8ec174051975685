// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a QEMU under way.
type process struct {
	cmd *exec.Cmd
	// done is closed when it has been waited for; err is how it ended then.
	done chan struct{}
	err  error
	once sync.Once
}

// startProcess starts cmd so that it dies with this process.
//
// NB: Pdeathsig follows the thread that forked (golang/go#27505), so a
// goroutine keeps its thread for as long as the child lives.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.WaitDelay = time.Second
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", cmd.Path, err)
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop kills the process and waits until it is gone.
func (p *process) stop() {
	p.once.Do(func() {
		// A process that has been waited for gives os.ErrProcessDone: the pid is
		// never another's.
		_ = p.cmd.Process.Kill()
	})
	<-p.done
}

// socketPair is a stream with one end for QEMU and one for us.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make the guest's channel: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "events"), os.NewFile(uintptr(fds[1]), "guest's events"), nil
}

// ends are one side of the channels.
type ends []*os.File

// Close closes them all.
func (e ends) Close() error {
	var all error
	for _, one := range e {
		all = errors.Join(all, one.Close())
	}
	return all
}

// closers closes many things and gathers what that said.
type closers []io.Closer

func (c closers) Close() error {
	var all error
	for _, one := range c {
		if err := one.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// maxStderr bounds what is kept of what QEMU says, in bytes.
const maxStderr = 8 << 10
