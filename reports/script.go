// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"strings"

	"skleak/record"
)

// writeReproducer writes the script of one scenario, the first that a mail would
// be about, or the first that was asked for.
func writeReproducer(w io.Writer, rep record.Report, o Options) error {
	name := scriptName(rep, o.Evidence.Chosen)
	text := o.Evidence.script(name)
	if text == "" {
		text = "# There is no script to write: " + whyNoScript(name) + "\n"
	}
	if _, err := io.WriteString(w, strings.TrimRight(text, "\n")+"\n"); err != nil {
		return fmt.Errorf("write the reproducer: %w", err)
	}
	return nil
}

func whyNoScript(name string) string {
	if name == "" {
		return "all is as expected. Name a scenario: skleak report DIR --format reproducer SCENARIO"
	}
	return harmless(name, false) + " is not in the folder of traces, nor in the catalogue"
}

// scriptName picks the scenario; "" for none.
func scriptName(rep record.Report, chosen bool) string {
	if cases := mailCases(rep, chosen); len(cases) > 0 {
		return cases[0].scenario
	}
	for _, run := range rep.Runs {
		if len(run.Results) > 0 && (chosen || len(run.Results) == 1) {
			return run.Results[0].Scenario
		}
	}
	return ""
}
