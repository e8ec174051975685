// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// linux is the real system.
type linux struct{}

// Mount implements system.
func (linux) Mount(source, target, fstype string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return unix.Mount(source, target, fstype, 0, "")
}

// Load implements system.
func (linux) Load(file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

// LoopbackUp implements system.
func (linux) LoopbackUp() (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return os.NewSyscallError("ioctl SIOCSIFFLAGS", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr))
}

// timerSlack is how late a guest's sleeps may end, unless a thread asks for
// better. Without KVM a timer costs more than most of what is done when it
// fires, and Go's own watcher wakes each 20 µs while anything runs.
const timerSlack = time.Millisecond

// Start implements system.
func (linux) Start(argv, env []string, tty bool) (int, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = env, "/"
	// NB: children have the slack of the thread that forked them (kernel/fork.c).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0); err != nil {
		return 0, os.NewSyscallError("prctl PR_SET_TIMERSLACK", err)
	}
	con, err := os.OpenFile("/dev/console", os.O_RDWR|unix.O_NOCTTY, 0)
	if tty {
		// NB: /dev/console cannot be a controlling terminal (tty_open).
		con, err = os.OpenFile("/dev/ttyS0", os.O_RDWR|unix.O_NOCTTY, 0)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	}
	if err != nil {
		return 0, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = con, con, con
	err = cmd.Start()
	if err = errors.Join(err, con.Close()); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// Wait implements system.
func (linux) Wait() (int, string, error) {
	var status unix.WaitStatus
	pid, err := unix.Wait4(-1, &status, 0, nil)
	if err != nil {
		return 0, "", err
	}
	switch {
	case status.Signaled():
		return pid, status.Signal().String(), nil
	case status.ExitStatus() != 0:
		return pid, fmt.Sprintf("exit status %d", status.ExitStatus()), nil
	}
	return pid, "", nil
}

// PowerOff implements system. QEMU runs with -no-reboot, where a restart ends
// it at once and powering off would need ACPI.
func (linux) PowerOff() error {
	unix.Sync()
	return os.NewSyscallError("reboot", unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART))
}
