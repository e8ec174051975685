// SPDX-License-Identifier: GPL-2.0-only

package reports

import "testing"

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []int64
		sndbuf int64
		width  int
		ascii  bool
		want   string
	}{
		{"nothing to draw", nil, 212992, 8, false, ""},
		{"no room", []int64{1}, 212992, 0, false, ""},
		{"nothing is the lowest", []int64{0, 0}, 212992, 8, false, "▁▁"},
		{"the least charge shows", []int64{0, 1, 0}, 212992, 8, false, "▁▂▁"},
		{"half the buffer is full height", []int64{106496, 53248}, 212992, 8, false, "█▅"},
		{"more than the buffer rescales", []int64{212992, 106496}, 212992, 8, false, "█▅"},
		{"a spike survives thinning", []int64{0, 0, 0, 100, 0, 0, 0, 0}, 200, 2, false, "█▁"},
		{"saturated", []int64{-5, 1 << 62}, 0, 2, false, "▁█"},
		{"ascii", []int64{0, 50, 100}, 200, 8, true, "_=#"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sparkline(c.points, c.sndbuf, c.width, c.ascii); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
