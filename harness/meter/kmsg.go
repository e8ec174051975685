// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxKmsgRecord is the longest record /dev/kmsg gives (CONSOLE_EXT_LOG_MAX).
	maxKmsgRecord = 8192
	// maxKmsgLines bounds what one Since returns.
	maxKmsgLines = 1000
)

// KernelLog follows /dev/kmsg from the moment it was opened. The log belongs to
// the whole machine: a line in it may be another's doing.
type KernelLog struct{ fd int }

// OpenKernelLog opens the log at its end. Where it may not be read (dmesg_restrict,
// a container) that is an error, and no verdict depends on it.
func OpenKernelLog() (*KernelLog, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/kmsg: %w", err)
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		return nil, errors.Join(fmt.Errorf("go to the end of /dev/kmsg: %w", err), unix.Close(fd))
	}
	return &KernelLog{fd: fd}, nil
}

// Since returns what was logged since the last call, or since opening, without
// waiting; at most 1000 records a call. Records overwritten before they could
// be read are lost.
func (k *KernelLog) Since() ([]KernelMessage, error) {
	var out []KernelMessage
	buf := make([]byte, maxKmsgRecord)
	for range maxKmsgLines {
		n, err := unix.Read(k.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return out, nil
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return out, fmt.Errorf("read /dev/kmsg: %w", err)
		case n == 0:
			return out, nil
		}
		m, err := ParseKernelMessage(string(buf[:n]))
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Close closes the log.
func (k *KernelLog) Close() error { return unix.Close(k.fd) }

// KernelMessage is one record of the kernel log (Documentation/ABI/testing/dev-kmsg).
type KernelMessage struct {
	// Level is 0 (emergency) to 7 (debug).
	Level int
	Seq   uint64
	// At is the time since boot.
	At   time.Duration
	Text string
}

// ParseKernelMessage reads one record: "level,number,microseconds,flags;text".
// Lines after the first are keys and are left out.
func ParseKernelMessage(record string) (KernelMessage, error) {
	record, _, _ = strings.Cut(record, "\n")
	head, text, ok := strings.Cut(record, ";")
	f := strings.Split(head, ",")
	if !ok || len(f) < 3 {
		return KernelMessage{}, fmt.Errorf("parse a record of /dev/kmsg: no \"level,number,time;\" in %q", record[:min(len(record), 60)])
	}
	prio, err1 := strconv.ParseUint(f[0], 10, 31)
	seq, err2 := strconv.ParseUint(f[1], 10, 64)
	micro, err3 := strconv.ParseUint(f[2], 10, 53)
	if err := errors.Join(err1, err2, err3); err != nil {
		return KernelMessage{}, fmt.Errorf("parse a record of /dev/kmsg: %w", err)
	}
	// NB: 53 bits of microseconds are 285 years, which a Duration just holds.
	return KernelMessage{
		Level: int(prio & 7), Seq: seq, At: time.Duration(micro) * time.Microsecond, Text: text,
	}, nil
}

// Warnings are the texts that speak of refcount or skb trouble. What a process
// that foreign knows of caused is left out: a warning's first lines, from "cut
// here" on, name the process (kernel/panic.c, __warn).
func Warnings(messages []KernelMessage, foreign func(pid int) bool) []string {
	var out []string
	// report is where out stood when a report began, -1 outside of one; others says
	// that it is none of ours.
	report, others := -1, false
	for _, m := range messages {
		pid, ofProcess := warner(m.Text)
		switch {
		case strings.Contains(m.Text, "[ cut here ]"):
			report, others = len(out), false
		case strings.Contains(m.Text, "[ end trace"):
			report, others = -1, false
		case watchdog(m.Text):
			// Its report goes on with whatever function the timer interrupted.
			others = report >= 0
			continue
		case ofProcess && foreign(pid):
			if report < 0 {
				// Without a mark nobody knows where it began.
				report = len(out)
			}
			out, others = out[:report], true
			continue
		case ofProcess:
			others = false
		}
		if !others && alarming(m.Text) {
			out = append(out, m.Text)
		}
	}
	return out
}

// watchdog tells of a transmit queue that stands still: older kernels warn of it
// (net/sched/sch_generic.c, dev_watchdog), and a card that takes nothing is what
// some scenarios are about.
func watchdog(text string) bool {
	return strings.Contains(text, "dev_watchdog") || strings.Contains(text, "NETDEV WATCHDOG")
}

func alarming(text string) bool {
	for _, sign := range []string{"refcount_t:", "WARNING:", "BUG:", "Oops", "KASAN", "skb_", "sk_wmem"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// warner takes the process out of a warning's line. Up to 6.18 that is
// "WARNING: CPU: 0 PID: 12 at file:line function", later
// "WARNING: file:line at function, CPU#0: comm/12" (kernel/panic.c, __warn).
func warner(text string) (pid int, ok bool) {
	_, rest, found := strings.Cut(text, "WARNING: ")
	if !found {
		return 0, false
	}
	if old, is := strings.CutPrefix(rest, "CPU: "); is {
		_, old, _ = strings.Cut(old, " PID: ")
		word, _, _ := strings.Cut(old, " ")
		pid, err := strconv.Atoi(word)
		return pid, err == nil
	}
	// NB: a process's name may hold anything, a slash and this mark too.
	_, process, found := strings.Cut(rest, ", CPU#")
	if !found {
		return 0, false
	}
	process = strings.TrimSpace(process)
	pid, err := strconv.Atoi(process[strings.LastIndexByte(process, '/')+1:])
	return pid, err == nil
}
