package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"skleak/record"
	"skleak/reports"
)

// matrixBoard is the live table of a matrix: a line for each kernel, a mark
// for each scenario. Without a terminal it is silent.
type matrixBoard struct {
	mu    sync.Mutex
	out   io.Writer
	live  bool
	width int
	rows  []*boardRow
	drawn time.Time
	lines int
}

// boardRow is a kernel's line.
type boardRow struct {
	board *matrixBoard
	name  string
	total int
	marks strings.Builder
	ended int
	state string
}

// redrawEvery bounds how often the board is drawn.
const redrawEvery = 100 * time.Millisecond

func newBoard(t terminal, parts []part, controls int) *matrixBoard {
	b := &matrixBoard{out: t.screen, live: t.live, width: t.liveWidth}
	for _, p := range parts {
		b.rows = append(b.rows, &boardRow{board: b, name: string(p.name), total: len(p.list) + controls, state: "waits"})
	}
	return b
}

func (b *matrixBoard) row(i int) *boardRow { return b.rows[i] }

// Observe sees every event of the kernel.
func (r *boardRow) Observe(e record.Event) {
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
func (r *boardRow) Finished(res record.Result) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	r.marks.WriteString(statusMark(res.Status))
	r.board.draw(false)
}

func (r *boardRow) done(run record.Run) {
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
func (b *matrixBoard) draw(now bool) {
	if !b.live || (!now && time.Since(b.drawn) < redrawEvery) {
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
func (r *boardRow) line(width int) string {
	head := fmt.Sprintf("%-24s %3d/%-3d ", r.name, min(r.ended, r.total), r.total)
	tail := " " + reports.Harmless(r.state)
	marks := r.marks.String()
	room := max(width-1-len(head)-min(len(tail), 30), 0)
	marks = marks[max(len(marks)-room, 0):]
	line := head + marks + tail
	return line[:min(len(line), max(width-1, 0))]
}

// Close draws the board a last time.
func (b *matrixBoard) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
}
