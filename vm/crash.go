// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"regexp"
	"strings"

	"skleak/record"
)

const (
	// crashFrames is how many functions tell one crash from another.
	crashFrames = 4
	// crashLines is how far after its first line a crash's report is read.
	crashLines = 120
	// crashesKept bounds the crashes of one guest: the first is the cause.
	crashesKept = 8
)

// crashReader takes crashes out of a console (arch/x86/kernel/dumpstack.c,
// kernel/panic.c).
type crashReader struct {
	ip, frame *regexp.Regexp
	crashes   []record.Crash
	// left counts the lines that may still be of the last crash.
	left int
	// oops says that the last one is an oops, which a panic follows.
	oops bool
}

func newCrashReader() *crashReader {
	return &crashReader{
		ip:    regexp.MustCompile(`^RIP: [0-9a-f]{4}:([A-Za-z_][\w.]*)\+0x`),
		frame: regexp.MustCompile(`^(\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+`),
	}
}

// see takes the next line, whose alarm is kind, or "".
func (c *crashReader) see(kind AlarmKind, line string) {
	switch {
	case kind == AlarmOops && !stall(line) && (!c.oops || c.left == 0):
		c.begin(line, true)
	case kind == AlarmPanic && !c.oops:
		c.begin(line, false)
	case strings.Contains(line, "[ end trace"), strings.Contains(line, "[ end Kernel panic"):
		c.left = 0
	case c.left > 0:
		c.left--
		c.take(line)
	}
}

func (c *crashReader) begin(line string, oops bool) {
	if len(c.crashes) < crashesKept {
		c.crashes = append(c.crashes, record.Crash{Text: line})
		c.left, c.oops = crashLines, oops
	}
}

// take adds the function of a line that has one.
func (c *crashReader) take(line string) {
	crash := &c.crashes[len(c.crashes)-1]
	if ip := c.ip.FindStringSubmatch(line); ip != nil && len(crash.Frames) == 0 {
		crash.Frames = []string{ip[1]}
		return
	}
	// What has a question mark was found on the stack, and may be from before.
	f := c.frame.FindStringSubmatch(line)
	if f == nil || f[1] != "" || len(crash.Frames) >= crashFrames || ofReport(f[2]) {
		return
	}
	if n := len(crash.Frames); n == 0 || crash.Frames[n-1] != f[2] {
		crash.Frames = append(crash.Frames, f[2])
	}
}

// ofReport tells the functions that print the report or enter the trap.
func ofReport(function string) bool {
	for _, prefix := range []string{"dump_stack", "show_stack", "__die", "die", "panic", "oops_", "page_fault_oops", "exc_", "asm_exc_", "do_trap", "do_error_trap", "kernelmode_fixup", "vpanic", "bad_area", "__bad_area", "no_context"} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// stall tells of a guest that stood still, which is the host's doing as often as
// the kernel's (kernel/watchdog.c, kernel/workqueue.c).
func stall(line string) bool {
	return strings.Contains(line, "lockup") || strings.Contains(line, "stuck for")
}

// Crashes are the crashes so far, in the order they came.
func (c *consoleLog) Crashes() []record.Crash {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]record.Crash(nil), c.crash.crashes...)
}
