// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"testing"
	"time"

	"skleak/record"
)

const (
	window   = 300 * time.Millisecond
	truesize = 832
	buffer   = 212992
)

// follow reads a course each tick up to an end.
func follow(c *Course, tick, end time.Duration, at func(time.Duration) (packets float64, sent int)) record.Course {
	for now := time.Duration(0); now <= end; now += tick {
		packets, sent := at(now)
		c.Add(now, int64(packets*truesize), sent)
	}
	return c.Result()
}

// sentBy is how many packets a rate has sent by a time, the first at once.
func sentBy(now time.Duration, pps float64) int { return int(now.Seconds()*pps) + 1 }

func TestCourse(t *testing.T) {
	// at gives the packets charged and sent.
	tests := []struct {
		name     string
		tick     time.Duration
		end      time.Duration
		at       func(now time.Duration) (float64, int)
		held     int64
		silenced bool
		oldest   time.Duration
	}{
		{"nothing is ever charged", time.Millisecond, time.Second, func(now time.Duration) (float64, int) { return 0, sentBy(now, 1000) }, 0, false, 0},
		{"each packet for 10 ms", time.Millisecond, time.Second, func(now time.Duration) (float64, int) {
			return 10, sentBy(now, 1000)
		}, 0, false, 10 * time.Millisecond},
		{"a full line that drains", time.Millisecond, time.Second, func(now time.Duration) (float64, int) {
			return 128, 128 + int(now.Seconds()*1000)
		}, 0, false, 128 * time.Millisecond},
		{"a full line that drains slowly", time.Millisecond, 2 * time.Second, func(now time.Duration) (float64, int) {
			return 128, 128 + int(now.Seconds()*200)
		}, 67 * truesize, true, 640 * time.Millisecond},
		{"a machine that stands still again and again", 60 * time.Millisecond, 3 * time.Second, func(now time.Duration) (float64, int) {
			return 10, sentBy(now, 20)
		}, 0, false, 480 * time.Millisecond},
		{"one of many for ever", time.Millisecond, time.Second, func(now time.Duration) (float64, int) {
			if now < 100*time.Millisecond {
				return 128, int(now.Seconds() * 30000)
			}
			return 1, 3000
		}, truesize, false, 900 * time.Millisecond},
		{"a neighbour given up each 3 s", 5 * time.Millisecond, 7 * time.Second, func(now time.Duration) (float64, int) {
			sent := sentBy(now, 40)
			return float64(sent - sentBy(now.Truncate(3*time.Second), 40) + 1), sent
		}, 109 * truesize, false, 3 * time.Second},
		{"the same above the rate that silences", 5 * time.Millisecond, 3 * time.Second, func(now time.Duration) (float64, int) {
			n := min(sentBy(now, 50), 128)
			return float64(n), n
		}, 128 * truesize, true, 3 * time.Second},
		{"a machine that stood still", 2 * time.Second, 2 * time.Second, func(time.Duration) (float64, int) {
			return 128, 128
		}, 0, false, 2 * time.Second},
		{"larger packets than calibrated, each gone at once", time.Millisecond, 5 * time.Second, func(now time.Duration) (float64, int) {
			if now%(500*time.Millisecond) < 20*time.Millisecond {
				return 2, sentBy(now, 2)
			}
			return 0, sentBy(now, 2)
		}, 0, false, 520 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := follow(NewCourse(window, truesize, buffer), test.tick, test.end, test.at)
			if d := got.HeldBytes - test.held; d < -2*truesize || d > 2*truesize {
				t.Errorf("held %d bytes, want %d", got.HeldBytes, test.held)
			}
			if (got.HeldBytes == 0) != (test.held == 0) {
				t.Errorf("held %d bytes, want %d", got.HeldBytes, test.held)
			}
			if silenced := 2*got.Worst.HeldBytes >= got.Worst.Bytes && got.Worst.HeldBytes > 0; silenced != test.silenced {
				t.Errorf("silenced %v: %+v", silenced, got.Worst)
			}
			if d := time.Duration(got.OldestNs) - test.oldest; d < -50*time.Millisecond || d > 30*time.Millisecond {
				t.Errorf("the oldest was charged for %s, want %s", time.Duration(got.OldestNs), test.oldest)
			}
		})
	}
}

func TestCourseSilences(t *testing.T) {
	c := NewCourse(window, truesize, buffer)
	got := follow(c, time.Millisecond, time.Second, func(now time.Duration) (float64, int) {
		if now%(50*time.Millisecond) < 20*time.Millisecond {
			return 127, 127
		}
		return 128, 128
	})
	if got.SilentTimes != 20 || len(got.Silences) != courseSilences || time.Duration(got.SilentNs) != 29*time.Millisecond {
		t.Errorf("%d silences, %d kept, the longest of %s", got.SilentTimes, len(got.Silences), time.Duration(got.SilentNs))
	}
	if s := got.Silences[0]; s.Packets != 128 || s.AtNs != (20*time.Millisecond).Nanoseconds() {
		t.Errorf("the first: %+v", s)
	}
}

// What was held is never too much: that of a random queue is known.
func FuzzCourse(f *testing.F) {
	f.Add([]byte{1, 5, 0, 3, 9, 0, 255, 1, 1, 0, 0, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewCourse(window, truesize, buffer)
		var queue []time.Duration
		now, sent, most := time.Duration(0), 0, 0
		for i, b := range data {
			now += time.Duration(b%40) * time.Millisecond
			for range b >> 5 {
				queue, sent = append(queue, now), sent+1
			}
			if i%3 == 2 {
				queue = queue[min(len(queue), int(b&7)):]
			}
			old := 0
			for _, at := range queue {
				if now-at >= window {
					old++
				}
			}
			most = max(most, old)
			c.Add(now, int64(len(queue)*truesize), sent)
		}
		if got := c.Result().HeldBytes; got > int64(most*truesize) {
			t.Errorf("%d bytes held, but only %d packets were ever so old", got, most)
		}
	})
}
