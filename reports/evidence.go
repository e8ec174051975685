// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"skleak/record"
)

// Evidence is what a report rests on beyond its own figures. Each part may be
// missing; a format then does with less.
type Evidence struct {
	// Trace gives the trace a result was judged by; nil for none.
	Trace func(k record.Kernel, scenario string) *record.Trace
	// Scenario is the scenario as a file has it, Script a shell script that tries it
	// without skleak; "" for none.
	Scenario, Script func(scenario string) string
	// Saved gives each file of the saved run; nil for none.
	Saved func(yield func(File) error) error
	// Chosen says that the results were asked for by name.
	Chosen bool
	// Redact replaces what identifies a machine; nil leaves all as it is.
	Redact *Redactor
	// By is the skleak that writes the report.
	By string
}

func (e Evidence) trace(k record.Kernel, scenario string) *record.Trace {
	if e.Trace == nil {
		return nil
	}
	return e.Trace(k, scenario)
}

func (e Evidence) scenario(name string) string {
	if e.Scenario == nil {
		return ""
	}
	return e.Scenario(name)
}

func (e Evidence) script(name string) string {
	if e.Script == nil {
		return ""
	}
	return e.Script(name)
}

// state is a picture of a trace by its name; nil for none.
func state(t *record.Trace, when string) *record.State {
	if t == nil {
		return nil
	}
	for i := range t.State {
		if t.State[i].When == when {
			return &t.State[i]
		}
	}
	return nil
}
