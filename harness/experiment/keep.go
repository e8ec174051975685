// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/prometheus/procfs"

	"skleak/harness/meter"
)

// When a State was taken.
const (
	stateBefore   = "before"
	stateHeld     = "held"
	stateRefilled = "refilled"
	stateEnd      = "end"
)

// keepState keeps a picture of the sandbox for the judge and the report.
func (x *Experiment) keepState(when string) error {
	look := x.world.State
	if when == stateBefore || when == stateRefilled {
		look = x.world.Counters
	}
	state, err := look(when)
	if err != nil {
		return err
	}
	if state.Sent = x.trace.Sent; x.trace.Refill != nil {
		state.Sent += x.trace.Refill.Sent
	}
	state.KernelLog = x.readLog()
	x.trace.State = append(x.trace.State, state)
	return nil
}

// readLog takes what the kernel logged since the last look. Where the log may
// not be read there is nothing, and no verdict hangs on it.
func (x *Experiment) readLog() []string {
	if x.log == nil {
		return nil
	}
	messages, err := x.log.Since()
	if err != nil {
		return nil
	}
	x.trace.Warnings = append(x.trace.Warnings, meter.Warnings(messages, otherSandbox)...)
	var lines []string
	for _, m := range messages {
		lines = append(lines, m.Text)
	}
	return lines
}

// keepSockets keeps what was seen of each socket up to the end of settling.
func (x *Experiment) keepSockets(s *sending) {
	samples := s.sampler.Samples()
	for i, sender := range s.stream.Senders() {
		sock := &x.trace.Sockets[i]
		sock.Peak = max(samples[i].Peak, sock.Peak)
		sock.Saturated = samples[i].Saturated
		sock.Series, sock.After, sock.Course = samples[i].Series, samples[i].After, samples[i].Course
		if i < len(x.trace.Settle.PerSocket) {
			sock.Saturated = sock.Saturated || meter.Saturated(x.trace.Settle.PerSocket[i])
		}
		if inode, err := meter.Inode(sender.FD()); err == nil {
			sock.Meters = meter.CrossCheck(sender.FD(), inode)
		}
	}
}

// otherSandbox tells whether a process is the sandbox child of another scenario:
// the same program, and not this process.
func otherSandbox(pid int) bool {
	status, err := procfs.NewProc(pid)
	if err != nil {
		return false
	}
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false
	}
	exe, err := status.Executable()
	if err != nil || exe != own {
		return false
	}
	_, err = os.Stat(fmt.Sprintf("/proc/self/task/%d", pid))
	return errors.Is(err, fs.ErrNotExist)
}
