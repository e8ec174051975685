// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"
	"slices"

	"skleak/record"
)

// notes gathers what a stream said beside verdicts, each text once.
type notes []note

type note struct {
	text      string
	scenarios []string
}

func (n *notes) add(e record.Event) {
	i := slices.IndexFunc(*n, func(o note) bool { return o.text == e.Text })
	if i < 0 {
		*n = append(*n, note{text: e.Text})
		i = len(*n) - 1
	}
	one := &(*n)[i]
	if e.Scenario != "" && !slices.Contains(one.scenarios, e.Scenario) {
		one.scenarios = append(one.scenarios, e.Scenario)
	}
}

// lines tells how many scenarios each text is about.
func (n notes) lines() []string {
	var lines []string
	for _, one := range n {
		switch len(one.scenarios) {
		case 0:
			lines = append(lines, one.text)
		case 1:
			lines = append(lines, one.scenarios[0]+": "+one.text)
		default:
			lines = append(lines, fmt.Sprintf("%d scenarios: %s", len(one.scenarios), one.text))
		}
	}
	return lines
}
