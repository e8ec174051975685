// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"skleak/record"
)

// LiveOptions say what the terminal can show. The caller makes a Live for a
// terminal only; for anything else there is nothing to show.
type LiveOptions struct {
	// Width is in columns; under 20 it is taken for 80.
	Width int
	// Total is how many results are awaited; 0 when that is not known.
	Total  int
	Colour bool
	ASCII  bool
}

// Bounds of the live view.
const (
	liveRows    = 8
	livePoints  = 512
	liveRedraw  = 60 * time.Millisecond
	liveDefault = 80
)

// Live shows on a terminal what runs and what is done, in a few lines that it
// redraws in place. It never hides the cursor and leaves it at the start of
// its lines, so a kill at any moment leaves the terminal usable; Close, which
// belongs on the way out of an interrupt too, leaves it clean. Errors of the
// terminal are ignored: progress is worth no failed run. It is safe for use
// from several goroutines.
type Live struct {
	mu      sync.Mutex
	w       io.Writer
	p       painter
	total   int
	now     func() time.Time
	began   time.Time
	drawn   time.Time
	closed  bool
	running []*liveRow
	done    map[string]record.Status
}

// liveRow is a scenario under way.
type liveRow struct {
	name, phase string
	points      []int64
}

// NewLive starts a live view on the terminal w.
func NewLive(w io.Writer, o LiveOptions) *Live { return newLive(w, o, time.Now) }

func newLive(w io.Writer, o LiveOptions, now func() time.Time) *Live {
	width := o.Width
	if width < 20 {
		width = liveDefault
	}
	// NB: one column stays free, since some terminals wrap at the last.
	p := newPainter(Options{Width: width - 1, Colour: o.Colour, ASCII: o.ASCII})
	return &Live{w: w, p: p, total: o.Total, now: now, began: now(), done: map[string]record.Status{}}
}

// Observe takes the next event of the stream.
func (l *Live) Observe(e record.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || e.Scenario == "" {
		return
	}
	if e.Ends() {
		l.running = slices.DeleteFunc(l.running, func(r *liveRow) bool { return r.name == e.Scenario })
	} else {
		l.row(e.Scenario).take(e)
	}
	l.draw()
}

// Finished takes a result; of several for one scenario the last counts.
func (l *Live) Finished(r record.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.done[r.Scenario] = r.Status
	l.draw()
}

// Close erases the view. Whatever comes later is ignored; a second Close does
// nothing.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && !l.drawn.IsZero() {
		_, _ = io.WriteString(l.w, eraseBelow())
	}
	l.closed = true
}

// row finds the row of a scenario, or adds one.
func (l *Live) row(name string) *liveRow {
	for _, r := range l.running {
		if r.name == name {
			return r
		}
	}
	r := &liveRow{name: name, phase: record.PhaseBuild}
	l.running = append(l.running, r)
	return r
}

func (r *liveRow) take(e record.Event) {
	switch {
	case e.Kind == record.EventPhase:
		r.phase = e.Text
	case e.Sample != nil:
		r.points = append(r.points, e.Sample.Bytes)
		if len(r.points) > livePoints {
			r.points = highest(r.points, livePoints/2)
		}
	}
}

// draw writes the view over its last drawing, in one write, and not more often
// than an eye can follow.
func (l *Live) draw() {
	now := l.now()
	if !l.drawn.IsZero() && now.Sub(l.drawn) < liveRedraw {
		return
	}
	l.drawn = now
	lines := []string{l.headline(now)}
	for i, r := range l.running {
		if i == liveRows {
			lines = append(lines, fmt.Sprintf("  and %d more", len(l.running)-liveRows))
			break
		}
		lines = append(lines, l.p.liveLine(r))
	}
	var b strings.Builder
	b.WriteString(eraseBelow())
	for _, line := range lines {
		b.WriteString(text.Trim(line, l.p.Width) + "\n")
	}
	b.WriteString(text.CursorUp.Sprintn(len(lines)))
	_, _ = io.WriteString(l.w, b.String())
}

// headline is the counts and the time.
func (l *Live) headline(now time.Time) string {
	n := map[record.Status]int{}
	for _, s := range l.done {
		n[s]++
	}
	count := fmt.Sprint(len(l.done))
	if l.total > 0 {
		count += fmt.Sprintf("/%d", l.total)
	}
	parts := []string{l.p.bold(count)}
	for _, s := range record.Statuses() {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], l.p.status(s)))
		}
	}
	parts = append(parts, l.p.dim(fmt.Sprintf("%.1f s", now.Sub(l.began).Seconds())))
	return strings.Join(parts, "  ")
}

// liveLine is one scenario under way: name, phase, charge.
func (p painter) liveLine(r *liveRow) string {
	const nameWidth, phaseWidth = 28, 10
	line := "  " + text.Pad(text.Trim(p.safe(r.name), nameWidth), nameWidth, ' ') +
		" " + text.Pad(text.Trim(p.safe(r.phase), phaseWidth), phaseWidth, ' ')
	if len(r.points) == 0 {
		return line
	}
	spark := text.Pad(sparkline(r.points, 0, sparkWidth, p.ASCII), sparkWidth, ' ')
	return line + " " + spark + " " + bytesText(r.points[len(r.points)-1])
}

// eraseBelow erases from the cursor to the end of the screen.
func eraseBelow() string { return "\r\x1b[J" }
