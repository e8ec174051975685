// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"skleak/record"
)

// screen is what a terminal of endless height shows after the bytes in s,
// which may use only what Live is meant to use. It gives the lines below the
// first, and the cursor.
func screen(t *testing.T, s string) (lines []string, row, col int) {
	t.Helper()
	lines = []string{""}
	for len(s) > 0 {
		var n int
		switch {
		case s[0] == '\r':
			col, s = 0, s[1:]
		case s[0] == '\n':
			row, col, s = row+1, 0, s[1:]
			if row == len(lines) {
				lines = append(lines, "")
			}
		case strings.HasPrefix(s, "\x1b[J"):
			lines, s = append(lines[:row:row], string([]rune(lines[row])[:col])), s[3:]
		case strings.HasPrefix(s, "\x1b["):
			if k, _ := fmt.Sscanf(s, "\x1b[%dA", &n); k != 1 || n > row {
				t.Fatalf("unexpected sequence %.8q at row %d", s, row)
			}
			row, s = row-n, s[strings.IndexByte(s, 'A')+1:]
		default:
			r, size := utf8.DecodeRuneInString(s)
			if r < ' ' || r == 0x7f {
				t.Fatalf("control character %q", r)
			}
			lines[row] += string(r)
			col, s = col+1, s[size:]
		}
	}
	return lines, row, col
}

// clock is a time that moves a second at each look.
func clock() func() time.Time {
	var n int64
	return func() time.Time { n++; return time.Unix(n, 0) }
}

func begin(name string) record.Event { return record.Event{Kind: record.EventBegin, Scenario: name} }

func TestLiveShowsWhatRuns(t *testing.T) {
	var out bytes.Buffer
	l := newLive(&out, LiveOptions{Width: 80, Total: 3}, clock())
	l.Observe(record.Event{Kind: record.EventHello})
	l.Observe(begin("hold/tbf"))
	l.Observe(record.Event{Kind: record.EventPhase, Scenario: "hold/tbf", Text: record.PhaseTraffic})
	for _, b := range []int64{0, 100000, 213824} {
		l.Observe(record.Event{Kind: record.EventSample, Scenario: "hold/tbf", Sample: &record.Point{Bytes: b}})
	}
	l.Observe(begin("tun/unread"))
	l.Observe(record.Event{Kind: record.EventTrace, Scenario: "tun/unread"})
	l.Finished(record.Result{Scenario: "tun/unread", Status: record.Fail})
	l.Finished(record.Result{Scenario: "tun/unread", Status: record.Pass})
	l.Finished(record.Result{Scenario: "vlan/up", Status: record.Skip})
	lines, row, col := screen(t, out.String())
	want := []string{
		"2/3  1 ✓ pass  1 · skip  10.0 s",
		"  hold/tbf                     traffic    ▁▅█              208.8 KiB",
		"",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") || row != 0 || col != 0 {
		t.Errorf("cursor %d,%d, screen:\n%s", row, col, strings.Join(lines, "\n"))
	}
}

func TestLiveCloseLeavesNothing(t *testing.T) {
	var out bytes.Buffer
	l := newLive(&out, LiveOptions{}, clock())
	for i := range 20 {
		l.Observe(begin(fmt.Sprintf("x/%d", i)))
	}
	if lines, _, _ := screen(t, out.String()); !strings.Contains(strings.Join(lines, "\n"), "and 12 more") {
		t.Errorf("20 rows on screen:\n%s", strings.Join(lines, "\n"))
	}
	l.Close()
	l.Observe(begin("late"))
	l.Finished(record.Result{Scenario: "late"})
	l.Close()
	lines, row, col := screen(t, out.String())
	if len(lines) != 1 || lines[0] != "" || row != 0 || col != 0 {
		t.Errorf("cursor %d,%d, left on screen: %q", row, col, lines)
	}
}

func TestLiveUnusedWritesNothing(t *testing.T) {
	var out bytes.Buffer
	NewLive(&out, LiveOptions{}).Close()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}

func TestLiveIsBounded(t *testing.T) {
	var out bytes.Buffer
	l := newLive(&out, LiveOptions{Width: 30, ASCII: true}, clock())
	l.Observe(record.Event{Kind: record.EventPhase, Scenario: "x/\x1b[2J\n" + strings.Repeat("long", 20), Text: "\x07"})
	for i := range 10 * livePoints {
		l.Observe(record.Event{Kind: record.EventSample, Scenario: "x/y", Sample: &record.Point{Bytes: int64(i)}})
	}
	if n := len(l.row("x/y").points); n > livePoints {
		t.Errorf("%d points kept", n)
	}
	lines, _, _ := screen(t, out.String())
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > 29 || len(line) != n {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestLiveDrawsSeldom(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1, 0)
	l := newLive(&out, LiveOptions{}, func() time.Time { return now })
	for range 1000 {
		l.Observe(begin("x/y"))
	}
	if n := strings.Count(out.String(), "\x1b[J"); n != 1 {
		t.Errorf("%d drawings in no time", n)
	}
}

type deadTerminal struct{}

func (deadTerminal) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestLiveSurvivesItsTerminal(*testing.T) {
	l := newLive(deadTerminal{}, LiveOptions{}, clock())
	l.Observe(begin("x/y"))
	l.Close()
}
