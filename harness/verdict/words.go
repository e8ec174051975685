// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"
	"math"
)

// count is "1 packet", "3 packets".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// long is a duration for people, in its two greatest units: "21 min 20 s".
func long(seconds float64) string {
	units := []struct {
		name string
		size float64
	}{{"year", 365 * 86400}, {"day", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}}
	left := math.Round(seconds)
	for i, u := range units {
		whole := math.Floor(left / u.size)
		if whole < 1 {
			continue
		}
		text := amount(whole, u.name)
		if i+1 < len(units) {
			next := units[i+1]
			if rest := math.Floor((left - whole*u.size) / next.size); rest > 0 {
				text += " " + amount(rest, next.name)
			}
		}
		return text
	}
	return "0 s"
}

func amount(n float64, unit string) string {
	if n != 1 && (unit == "year" || unit == "day") {
		unit += "s"
	}
	return fmt.Sprintf("%.0f %s", n, unit)
}

// short is a measured time: "3.0 s", "40 ms".
func short(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// perSecond is a rate, rounded up so that it is never claimed too low:
// "43 packets a second", "one packet in 25 s".
func perSecond(rate float64) string {
	switch {
	case rate >= 10:
		return fmt.Sprintf("%.0f packets a second", math.Ceil(rate))
	case rate >= 1:
		return fmt.Sprintf("%.1f packets a second", math.Ceil(rate*10)/10)
	default:
		return "one packet in " + short(1/rate)
	}
}
