// SPDX-License-Identifier: GPL-2.0-only

package reports

import "strings"

// sparkline draws a charge over time in at most width characters. A full
// column is half the send buffer, where the socket turns unwritable, or the
// highest point if that is higher; so a short line means a harmless charge.
// Each character shows the highest of the points it stands for.
func sparkline(points []int64, sndbuf int64, width int, ascii bool) string {
	if len(points) == 0 || width <= 0 {
		return ""
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	if ascii {
		levels = []rune("_.-~=+*#")
	}
	columns := highest(points, width)
	top := max(sndbuf/2, 1)
	for _, c := range columns {
		top = max(top, c)
	}
	var b strings.Builder
	for _, c := range columns {
		b.WriteRune(levels[level(c, top, len(levels))])
	}
	return b.String()
}

// level is 0 for nothing only: the least charge shows.
func level(c, top int64, levels int) int {
	if c <= 0 {
		return 0
	}
	return min(levels-1, 1+int(float64(c)/float64(top)*float64(levels-2)+0.5))
}

// highest thins points to at most n, keeping the highest of each part.
func highest(points []int64, n int) []int64 {
	if len(points) <= n {
		return points
	}
	out := make([]int64, n)
	for i := range out {
		from, to := i*len(points)/n, (i+1)*len(points)/n
		out[i] = points[from]
		for _, p := range points[from:to] {
			out[i] = max(out[i], p)
		}
	}
	return out
}
