// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// AwakeCommand after the program's name, and the numbers of a processor and of
// the process that wants it, make it keep that processor from sleeping.
const AwakeCommand = "sandbox-awake"

// wakers are the processes that keep processors awake (ledger.Held.Unproven).
type wakers []*exec.Cmd

// keepAwake starts one for each processor, and returns when all are there.
func keepAwake(self string, cpus []int) (wakers, error) {
	var w wakers
	for _, cpu := range cpus {
		cmd := exec.Command(self, AwakeCommand, strconv.Itoa(cpu), strconv.Itoa(os.Getpid()))
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		ready, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("keep processor %d awake: %w", cpu, err), w.Close())
		}
		w = append(w, cmd)
		if _, err := ready.Read(make([]byte, 1)); err != nil {
			return nil, errors.Join(fmt.Errorf("keep processor %d awake: its waker ended: %w", cpu, err), w.Close())
		}
	}
	return w, nil
}

// Close ends them.
func (w wakers) Close() error {
	var errs []error
	for _, cmd := range w {
		hurry(cmd.Process.Pid)
		errs = append(errs, cmd.Process.Kill())
		var killed *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &killed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// hurry gives a waker the priority of others: with the lowest it could not even
// end while they are busy.
func hurry(pid int) {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	for _, t := range threads {
		_ = unix.SchedSetAttr(t.PID, &attr, 0)
	}
}

// Awake is what `skleak sandbox-awake CPU PARENT` runs until it is killed or its
// parent is gone: with the lowest priority there is (SCHED_IDLE, sched(7)), so
// that nothing else waits for it. A byte on standard output says that it is
// there. It returns the exit status.
func Awake(args []string) int {
	var cpu, parent int
	n, err := fmt.Sscan(strings.Join(args, " "), &cpu, &parent)
	switch {
	case n != 2:
		err = fmt.Errorf("%s is started by skleak itself, not by hand: %w", AwakeCommand, err)
	case !alone(cpu):
		err = beginAlone(cpu)
	default:
		err = stayAwake(parent, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// alone is whether this process runs on one processor alone.
func alone(cpu int) bool {
	var set unix.CPUSet
	return unix.SchedGetaffinity(0, &set) == nil && set.Count() == 1 && set.IsSet(cpu)
}

// beginAlone begins anew on one processor. Where to run belongs to a thread, and
// only what is executed has no other threads: one of the runtime's elsewhere
// would do the work now and then, and the processor sleep.
func beginAlone(cpu int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("keep processor %d awake: run there: %w", cpu, err)
	}
	if err := unix.Exec(DefaultSelf, os.Args, os.Environ()); err != nil {
		return fmt.Errorf("keep processor %d awake: begin anew there: %w", cpu, err)
	}
	return nil
}

// awakeLook is how often a waker looks for its parent.
const awakeLook = 50 * time.Millisecond

func stayAwake(parent int, ready io.Writer) error {
	if _, err := ready.Write([]byte{'\n'}); err != nil {
		return fmt.Errorf("tell that the processor is awake: %w", err)
	}
	runtime.LockOSThread()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("keep a processor awake: take the lowest priority: %w", err)
	}
	for os.Getppid() == parent {
		for began := time.Now(); time.Since(began) < awakeLook; {
			continue
		}
	}
	return nil
}
