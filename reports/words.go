// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"skleak/record"
)

// sentence joins a reason and what to do about it.
func sentence(reason, hint string) string {
	switch {
	case hint == "":
		return reason
	case reason == "":
		return hint
	default:
		return reason + "; " + hint
	}
}

// knownText says which defect an xfail is.
func knownText(r record.Result) string {
	if r.Known == nil {
		return "known defect"
	}
	return "known: " + r.Known.String()
}

// attemptsText tells the tries of a scenario in one line.
func attemptsText(r record.Result) string {
	var tries []string
	for i, a := range r.Attempts {
		text := fmt.Sprintf("try %d %s, %d bytes held", i+1, a.Verdict, a.HeldBytes)
		if a.Holder != "" {
			text += " by " + a.Holder
		}
		tries = append(tries, text)
	}
	return strings.Join(tries, "; ")
}

// number is a figure to one digit after the point, where there is one.
func number(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// family is the part of a scenario's name before the slash.
func family(scenario string) string {
	f, _, _ := strings.Cut(scenario, "/")
	return f
}
