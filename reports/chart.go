// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"skleak/record"
)

// chart draws the charge of a scenario's sockets over time as SVG: on the left
// while packets were sent, on the right after the last one, each to its own scale,
// for sending takes milliseconds and waiting seconds.
type chart struct {
	t   *record.Trace
	max float64
	// split is where the right half begins, in pixels.
	split float64
	out   strings.Builder
}

// The size of a chart in pixels, and of what is around its plot.
const (
	chartWidth, chartHeight              = 760, 280
	plotLeft, plotRight, plotTop         = 76, 16, 40
	plotBottom                           = 44
	plotWidth, plotHeight                = chartWidth - plotLeft - plotRight, chartHeight - plotTop - plotBottom
	mostShownPoints                      = 600
	limitFarAbove                float64 = 6
)

// chargeChart is "" where the trace has no readings.
func chargeChart(t *record.Trace, title string) string {
	if t == nil || len(t.Sockets) == 0 {
		return ""
	}
	c := &chart{t: t, split: plotLeft + plotWidth*0.5}
	c.scale()
	c.open(title)
	c.axes()
	c.limits()
	for i, s := range t.Sockets {
		if i < maxChartSockets {
			c.line(s, i)
		}
	}
	c.events()
	c.out.WriteString("</svg>")
	return c.out.String()
}

// maxChartSockets bounds the lines of a chart.
const maxChartSockets = 6

// limit is the least charge, of any socket, from which on poll says not writable.
func (c *chart) limit() float64 {
	least := math.Inf(1)
	for _, s := range c.t.Sockets {
		least = min(least, float64(s.SndBuf)/2)
	}
	return least
}

func (c *chart) peak() float64 {
	peak := 1.0
	for _, s := range c.t.Sockets {
		peak = max(peak, float64(s.Peak))
		for _, p := range s.After {
			peak = max(peak, float64(p.Bytes))
		}
	}
	return peak
}

// scale shows both limits, unless they are so far up that nothing else would be
// seen.
func (c *chart) scale() {
	c.max = c.peak()
	for _, limit := range []float64{c.limit(), 2 * c.limit()} {
		if limit > 0 && !math.IsInf(limit, 0) && limit < limitFarAbove*c.max || c.max <= 1 {
			c.max = max(c.max, limit)
		}
	}
	c.max *= 1.08
}

func (c *chart) y(bytes float64) float64 {
	return plotTop + plotHeight*(1-min(max(bytes/c.max, 0), 1))
}

// x is a moment's place, left of the split while packets were sent.
func (c *chart) x(atNs int64) float64 {
	first, last, end := c.t.FirstSendNs, c.t.LastSendNs, c.end()
	if atNs <= last {
		return plotLeft + (c.split-plotLeft)*ratio(atNs-first, last-first)
	}
	return c.split + (plotLeft+plotWidth-c.split)*ratio(atNs-last, end-last)
}

func ratio(a, b int64) float64 {
	if b <= 0 {
		return 0
	}
	return min(max(float64(a)/float64(b), 0), 1)
}

// end is the last reading.
func (c *chart) end() int64 {
	end := max(c.t.Settle.AtNs, c.t.LastSendNs+1)
	for _, s := range c.t.Sockets {
		if n := len(s.After); n > 0 {
			end = max(end, s.After[n-1].AtNs)
		}
	}
	return end
}

func (c *chart) open(title string) {
	fmt.Fprintf(&c.out, `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`,
		chartWidth, chartHeight, esc(title))
	fmt.Fprintf(&c.out, `<title>%s</title><text class="t" x="%d" y="18">%s</text>`, esc(title), plotLeft, esc(title))
}

func (c *chart) text(class, anchor string, x, y float64, s string) {
	fmt.Fprintf(&c.out, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, esc(s))
}

func (c *chart) axes() {
	for _, at := range ticks(c.max) {
		y := c.y(at)
		fmt.Fprintf(&c.out, `<line class="g" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotLeft+plotWidth, y, y)
		c.text("a", "end", plotLeft-8, y+4, bytesText(int64(at)))
	}
	bottom := float64(plotTop + plotHeight)
	fmt.Fprintf(&c.out, `<line class="b" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotLeft+plotWidth, bottom, bottom)
	fmt.Fprintf(&c.out, `<line class="g" x1="%.1f" x2="%.1f" y1="%d" y2="%.1f"/>`, c.split, c.split, plotTop, bottom)
	c.text("a", "start", plotLeft, bottom+18, "sending: "+spanText(c.t.LastSendNs-c.t.FirstSendNs))
	c.text("a", "end", plotLeft+plotWidth, bottom+18, "after the last packet: "+spanText(c.end()-c.t.LastSendNs))
	c.text("a", "start", plotLeft, bottom+34, fmt.Sprintf("%d packets taken; each half has its own scale of time", c.t.Sent))
}

// ticks are round figures up to top.
func ticks(top float64) []float64 {
	step := 1.0
	for step*4 < top {
		step *= 2
	}
	var out []float64
	for at := 0.0; at <= top; at += step {
		out = append(out, at)
	}
	return out
}

func spanText(ns int64) string {
	switch s := float64(ns) / 1e9; {
	case s < 1e-3:
		return fmt.Sprintf("%.0f µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.1f ms", s*1e3)
	default:
		return fmt.Sprintf("%.1f s", s)
	}
}

// limits are half of the send buffer, from which on poll says not writable, and
// all of it, where a send blocks.
func (c *chart) limits() {
	limit := c.limit()
	for _, l := range []struct {
		at    float64
		class string
		words string
	}{{limit, "w", "not writable from here"}, {2 * limit, "f", "send buffer full"}} {
		if l.at > c.max {
			continue
		}
		y := c.y(l.at)
		fmt.Fprintf(&c.out, `<line class="%s" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, l.class, plotLeft, plotLeft+plotWidth, y, y)
		c.text("l", "end", plotLeft+plotWidth, y-5, fmt.Sprintf("%s: %s", l.words, bytesText(int64(l.at))))
	}
	if limit > c.max && !math.IsInf(limit, 0) {
		c.text("l", "end", plotLeft+plotWidth, plotTop-6, fmt.Sprintf("not writable from %s on, far above", bytesText(int64(limit))))
	}
}

// line is one socket's charge.
func (c *chart) line(s record.SocketTrace, number int) {
	points := slices.Concat(thinned(s.Series), thinned(s.After))
	if len(points) == 0 {
		return
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M%d %.1f", plotLeft, c.y(0))
	for _, p := range points {
		fmt.Fprintf(&path, "L%.1f %.1f", c.x(p.AtNs), c.y(float64(p.Bytes)))
	}
	last := points[len(points)-1]
	if len(c.t.Sockets) == 1 {
		fmt.Fprintf(&c.out, `<path class="area" d="%sL%.1f %.1fZ"/>`, path.String(), c.x(last.AtNs), c.y(0))
	}
	fmt.Fprintf(&c.out, `<path class="s s%d" d="%s"/>`, number, path.String())
	if len(c.t.Sockets) > 1 {
		c.text("l", "start", plotLeft+4, float64(plotTop+14+15*number), fmt.Sprintf("%s %s", []string{"—", "- -", "···", "–·", "—", "- -"}[number%6], s.Name))
	}
}

// thinned is at most so many points, the highest of each group.
func thinned(points []record.Point) []record.Point {
	if len(points) <= mostShownPoints {
		return points
	}
	var out []record.Point
	group := (len(points) + mostShownPoints - 1) / mostShownPoints
	for i := 0; i < len(points); i += group {
		high := points[i]
		for _, p := range points[i:min(i+group, len(points))] {
			if p.Bytes > high.Bytes {
				high = p
			}
		}
		out = append(out, high)
	}
	return out
}

// events are the moment poll first said not writable, that of the verdict's
// figures, and that of the last packet.
func (c *chart) events() {
	mark := func(atNs int64, row float64, words string) {
		x := c.x(atNs)
		anchor, shift := "start", 4.0
		if x > plotLeft+plotWidth*0.75 {
			anchor, shift = "end", -4
		}
		fmt.Fprintf(&c.out, `<line class="e" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x, x, plotTop, plotTop+plotHeight)
		c.text("l", anchor, x+shift, plotTop+plotHeight-6-14*row, words)
	}
	for _, s := range c.t.Sockets {
		if s.PacketsToStall >= 0 && len(s.Course.Silences) > 0 {
			mark(s.Course.Silences[0].AtNs, 0, fmt.Sprintf("not writable after %d packets", s.PacketsToStall))
			break
		}
	}
	if c.t.Settle.AtNs > c.t.LastSendNs {
		mark(c.t.Settle.AtNs, 1, fmt.Sprintf("settled: %s", bytesText(c.t.Settle.Bytes)))
	}
}

// esc makes text of any origin a part of HTML or SVG.
func esc(s string) string { return html.EscapeString(harmless(s, false)) }

// staircase draws the ladder: the charge before and after each rung.
func staircase(steps []record.LadderStep) string {
	if len(steps) == 0 || len(steps) > maxStairs {
		return ""
	}
	const height, top, bottom = 190, 44, 58
	width := max(float64(len(steps))*112, 400)
	high := int64(1)
	for _, s := range steps {
		high = max(high, s.Before, s.After)
	}
	y := func(bytes int64) float64 { return top + (height-top-bottom)*(1-float64(max(bytes, 0))/float64(high)) }
	var out, path strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="chart stairs" viewBox="0 0 %.0f %d" style="max-width:%.0fpx" role="img" aria-label="the ladder: what was charged after each step">`, width, height, width)
	fmt.Fprintf(&out, `<text class="t" x="0" y="18">The ladder: bytes charged, step by step</text>`)
	fmt.Fprintf(&out, `<line class="b" x1="0" x2="%.0f" y1="%.1f" y2="%.1f"/>`, width, y(0), y(0))
	each := width / float64(len(steps))
	for i, s := range steps {
		x := float64(i) * each
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1f", verb, x, y(s.Before), x+each*0.5, y(s.Before), x+each*0.5, y(s.After), x+each, y(s.After))
		fmt.Fprintf(&out, `<text class="l" text-anchor="middle" x="%.1f" y="%d">%s</text>`, x+each*0.5, height-bottom+18, esc(short(s.Rung, 18)))
		fmt.Fprintf(&out, `<text class="a" text-anchor="middle" x="%.1f" y="%d">%s</text>`, x+each*0.5, height-bottom+33, esc(short(s.On, 18)))
		fmt.Fprintf(&out, `<text class="a" text-anchor="middle" x="%.1f" y="%d">%s</text>`, x+each*0.5, height-bottom+48, esc(bytesText(s.After)))
	}
	fmt.Fprintf(&out, `<path class="s s0" d="%s"/></svg>`, path.String())
	return out.String()
}

// maxStairs bounds the steps that are drawn; a table has all.
const maxStairs = 24

// short is s, cut to so many characters.
func short(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
