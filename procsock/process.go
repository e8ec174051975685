// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/harness/meter"
)

// commLength is how many bytes of a name the kernel keeps (TASK_COMM_LEN less one).
const commLength = 15

// process is one that is looked at. Its pidfd stays open: it pins no socket.
type process struct {
	Process
	// pidfd is -1 where the kernel has none (before 5.3).
	pidfd int
	// born tells it from a later process of the same number.
	born string
	// refused says why its descriptors cannot be duplicated; nil until tried.
	refused error
}

func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

func openProcess(pid int) (*process, error) {
	p := &process{Process: Process{PID: pid}, pidfd: -1}
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case err == nil:
		p.pidfd = fd
	case errors.Is(err, unix.ENOSYS):
		p.refused = errNoGetfd
	default:
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	// Read after the pidfd was opened: they are of one process, or it has ended.
	if p.Comm, err = comm(pid); err == nil {
		p.born, err = born(pid)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("process %d: %w", pid, err), p.close())
	}
	return p, nil
}

func (p *process) close() error {
	if p.pidfd < 0 {
		return nil
	}
	return unix.Close(p.pidfd)
}

// ended says whether the process is no more.
func (p *process) ended() bool {
	if p.pidfd < 0 {
		now, err := born(p.PID)
		return err != nil || now != p.born
	}
	fds := []unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func comm(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSuffix(string(text), "\n"), err
}

// born is when a process started, in ticks since boot: field 22 of its stat. The
// name before it may hold blanks and parentheses.
func born(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("its stat has %d fields after the name", len(fields))
	}
	return fields[19], nil
}

// readRSS is the second field of statm, in pages.
func (p *process) readRSS() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID))
	if err != nil {
		return
	}
	if f := strings.Fields(string(text)); len(f) > 1 {
		if pages, err := strconv.ParseInt(f[1], 10, 64); err == nil {
			p.RSS = pages * int64(os.Getpagesize())
		}
	}
}

// sockets are the descriptors that are sockets, by inode.
func (p *process) sockets() (map[uint64][]int, error) {
	dir, err := os.Open(filepath.Join("/proc", strconv.Itoa(p.PID), "fd"))
	if err != nil {
		return nil, err
	}
	defer dir.Close() //nolint:errcheck // it was only read
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	found := map[uint64][]int{}
	buf := make([]byte, 64)
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, buf)
		if err != nil || n < 9 || string(buf[:8]) != "socket:[" {
			continue
		}
		inode, err := inodeOf(string(buf[:n]), "socket")
		if err != nil {
			continue
		}
		if fd, err := strconv.Atoi(name); err == nil {
			found[inode] = append(found[inode], fd)
		}
	}
	return found, nil
}

var errNoGetfd = errors.New("this kernel has no pidfd_getfd, which came with 5.6")

// errOther says that a descriptor is another socket by now.
var errOther = errors.New("it is another socket by now")

// with calls f with a duplicate of the process's descriptor fd, if that still is
// the socket inode, and closes it.
func (p *process) with(fd int, inode uint64, f func(dup int) error) error {
	dup, err := unix.PidfdGetfd(p.pidfd, fd, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dup) //nolint:errcheck // nothing could be done
	got, err := meter.Inode(dup)
	if err != nil {
		return err
	}
	if got != inode {
		return errOther
	}
	return f(dup)
}

// refusal explains an error of pidfd_getfd, nil for one that is about the one
// descriptor, or because the process has ended.
func refusal(pid int, err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return errNoGetfd
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("the sockets of process %d may not be asked (pidfd_getfd: %w); run it as root", pid, err)
	}
	return nil
}
