// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"skleak/record"
)

// Board is the live table of a matrix: a line for each kernel, a mark
// for each scenario. Without a terminal it is silent.
type Board struct {
	mu    sync.Mutex
	out   io.Writer
	live  bool
	width int
	rows  []*BoardRow
	drawn time.Time
	lines int
}

// BoardRow is a kernel's line.
type BoardRow struct {
	board *Board
	name  string
	total int
	marks strings.Builder
	ended int
	state string
}

// boardRedraw bounds how often the board is drawn.
const boardRedraw = 100 * time.Millisecond

// NewBoard starts a board of so many columns on out. Where live is false it
// shows nothing.
func NewBoard(out io.Writer, live bool, width int) *Board {
	return &Board{out: out, live: live, width: width}
}

// Row adds a line for a kernel with so many scenarios. All are added before
// anything runs.
func (b *Board) Row(kernel string, scenarios int) *BoardRow {
	r := &BoardRow{board: b, name: kernel, total: scenarios, state: "waits"}
	b.rows = append(b.rows, r)
	return r
}

// Observe sees every event of the kernel.
func (r *BoardRow) Observe(e record.Event) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	switch {
	case e.Ends():
		r.ended++
	case e.Kind == record.EventHello:
		r.state = "runs"
	case e.Kind == record.EventBegin:
		r.state = e.Scenario
	}
	r.board.draw(false)
}

// Finished sees every result of the kernel.
func (r *BoardRow) Finished(res record.Result) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	r.marks.WriteString(statusMark(res.Status))
	r.board.draw(false)
}

// Done sees the end of the kernel's run.
func (r *BoardRow) Done(run record.Run) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	r.state = fmt.Sprintf("done in %.0f s", run.Seconds)
	if run.Trouble != "" {
		r.state, _, _ = strings.Cut(run.Trouble, "\n")
	}
	r.board.draw(true)
}

// statusMark is a status in one character.
func statusMark(s record.Status) string {
	switch s {
	case record.Pass:
		return "."
	case record.XFail:
		return "x"
	case record.Skip:
		return "s"
	case record.Fail:
		return "F"
	case record.Broken:
		return "B"
	default:
		return "E"
	}
}

// draw draws the board over the last one. The lock must be held.
func (b *Board) draw(now bool) {
	if !b.live || (!now && time.Since(b.drawn) < boardRedraw) {
		return
	}
	b.drawn = time.Now()
	var text strings.Builder
	if b.lines > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", b.lines)
	}
	for _, r := range b.rows {
		text.WriteString("\r\x1b[K" + r.line(b.width) + "\n")
	}
	b.lines = len(b.rows)
	_, _ = io.WriteString(b.out, text.String())
}

// line is at most width columns: the newest marks are kept.
func (r *BoardRow) line(width int) string {
	head := fmt.Sprintf("%-24s %3d/%-3d ", r.name, min(r.ended, r.total), r.total)
	tail := " " + Harmless(r.state)
	marks := r.marks.String()
	room := max(width-1-len(head)-min(len(tail), 30), 0)
	marks = marks[max(len(marks)-room, 0):]
	line := head + marks + tail
	return line[:min(len(line), max(width-1, 0))]
}

// Close draws the board a last time.
func (b *Board) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
}
