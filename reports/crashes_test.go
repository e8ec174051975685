// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"strings"
	"testing"

	"skleak/record"
)

func TestOneCrashOnManyKernelsIsOneLine(t *testing.T) {
	rep := record.Report{Schema: record.ReportSchema}
	for _, kernel := range []string{"debian:5.10", "debian:6.1", "debian:6.12"} {
		rep.Runs = append(rep.Runs, record.Run{
			Kernel: record.Kernel{Source: kernel}, Results: []record.Result{{Scenario: "a/b", Status: record.Pass, Verdict: record.Clean}},
			Crashes: []record.Crash{{Text: "BUG: at " + kernel, Frames: []string{"veth_xmit", "dev_queue_xmit"}, Scenario: "a/b"}},
		})
	}
	rep.Runs[2].Crashes = append(rep.Runs[2].Crashes, record.Crash{Text: "Kernel panic - not syncing: x\x1b[2J", Among: []string{"a/b", "c/d"}})
	if code := rep.ExitCode(false); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	for _, format := range Formats() {
		if !format.tellsCrashes() {
			continue
		}
		var out bytes.Buffer
		if err := format.Write(&out, rep, Options{Width: 400}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if n := strings.Count(text, "veth_xmit"); (format.Name == "table" || format.Name == "markdown") && n != 1 || n == 0 {
			t.Errorf("%s tells %d times of one crash:\n%s", format.Name, n, text)
		}
		if !strings.Contains(text, "Kernel panic") || strings.Contains(text, "\x1b") {
			t.Errorf("%s:\n%s", format.Name, text)
		}
	}
}

// tellsCrashes is false for what is about one scenario alone, and for what is no
// text.
func (f Format) tellsCrashes() bool {
	return f.Name != "reproducer" && f.Name != "svg" && !f.Binary
}
