// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// AlarmKind is what a line of the console tells.
type AlarmKind string

// The kinds of alarm, the gravest first.
const (
	AlarmPanic   AlarmKind = "panic"
	AlarmNoInit  AlarmKind = "no init"
	AlarmOops    AlarmKind = "oops"
	AlarmInit    AlarmKind = "trouble in /init"
	AlarmWarning AlarmKind = "warning"
)

// Alarm is a line of the console that speaks of trouble.
type Alarm struct {
	Kind AlarmKind
	// Text is the line without its time stamp.
	Text string
}

// alarmPattern maps a pattern to what it means.
type alarmPattern struct {
	kind    AlarmKind
	pattern *regexp.Regexp
}

// alarmPatterns are the texts of kernel/panic.c, lib/bug.c, init/main.c and
// arch/x86 that begin trouble. The first that matches a line counts.
func alarmPatterns() []alarmPattern {
	return []alarmPattern{
		{AlarmNoInit, regexp.MustCompile(`No working init found|Requested init .* failed|Failed to execute /init|Unable to mount root fs`)},
		{AlarmPanic, regexp.MustCompile(`Kernel panic - not syncing`)},
		{AlarmOops, regexp.MustCompile(`Oops: |BUG: |kernel BUG at|general protection fault|double fault:|unable to handle (kernel|page)`)},
		{AlarmInit, regexp.MustCompile(`^` + initPrefix)},
		{AlarmWarning, regexp.MustCompile(`WARNING: (CPU|.*, CPU#\d|.*lock|suspicious)|refcount_t: `)},
	}
}

// initPrefix begins what the guest's /init prints of its own trouble.
const initPrefix = "skleak-init: "

const (
	// consoleKept is how much of the console's end is kept, in bytes.
	consoleKept = 64 << 10
	// consoleLine bounds a line, in bytes; a longer one is looked at in pieces.
	consoleLine = 4 << 10
	// alarmsKept bounds the alarms kept: the first tell why.
	alarmsKept = 64
)

// consoleLog keeps the end of a console and watches for alarms. It is an
// io.Writer that never fails and never blocks.
type consoleLog struct {
	mu       sync.Mutex
	patterns []alarmPattern
	stamp    *regexp.Regexp
	kept     []byte
	line     []byte
	alarms   []Alarm
	crash    *crashReader
	// fatal is closed at the first panic.
	fatal chan struct{}
	ended bool
	// all, if not nil, gets everything.
	all io.Writer
}

func newConsoleLog() *consoleLog {
	return &consoleLog{patterns: alarmPatterns(), stamp: timeStamp(), crash: newCrashReader(), fatal: make(chan struct{})}
}

// Write implements io.Writer.
func (c *consoleLog) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all != nil {
		_, _ = c.all.Write(p)
	}
	c.kept = append(c.kept, p...)
	if over := len(c.kept) - consoleKept; over > consoleKept {
		c.kept = append([]byte(nil), c.kept[over:]...)
	}
	rest := p
	for len(rest) > 0 {
		head, tail, found := bytes.Cut(rest, []byte("\n"))
		c.line = append(c.line, head...)
		if found || len(c.line) > consoleLine {
			c.look(string(c.line))
			c.line = c.line[:0]
		}
		rest = tail
	}
	return len(p), nil
}

// timeStamp is what printk puts before a line, and a caller behind it.
func timeStamp() *regexp.Regexp {
	return regexp.MustCompile(`^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?`)
}

func (c *consoleLog) look(line string) {
	line = strings.TrimSpace(c.stamp.ReplaceAllString(strings.TrimSpace(line), ""))
	kind := AlarmKind("")
	defer func() { c.crash.see(kind, line) }()
	for _, p := range c.patterns {
		if !p.pattern.MatchString(line) {
			continue
		}
		kind = p.kind
		if len(c.alarms) < alarmsKept {
			c.alarms = append(c.alarms, Alarm{Kind: p.kind, Text: line})
		}
		if (p.kind == AlarmPanic || p.kind == AlarmNoInit) && !c.ended {
			c.ended = true
			close(c.fatal)
		}
		return
	}
}

// Alarms are the alarms so far, in the order they came.
func (c *consoleLog) Alarms() []Alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Alarm(nil), c.alarms...)
}

// End is the console's end: at most n lines.
func (c *consoleLog) End(n int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := strings.TrimRight(printable(string(c.kept[max(len(c.kept)-consoleKept, 0):])), "\n")
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "\n")
}

// printable takes out what would act on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || (r >= ' ' && r != 0x7f) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "?"))
}

// blame picks what the kernel says of its own end: the first oops if there is
// one, for the panic after it only says that there was one.
func blame(alarms []Alarm) (string, bool) {
	for _, kind := range []AlarmKind{AlarmOops, AlarmNoInit, AlarmPanic} {
		for _, a := range alarms {
			if a.Kind == kind {
				return string(kind) + ": " + a.Text, true
			}
		}
	}
	return "", false
}
