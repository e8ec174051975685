// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"skleak/record"
)

// writeJUnit writes JUnit XML: a run is a testsuite, and a control is a test
// like any other. A failure is a verdict, an error is trouble, skipped is what
// this kernel lacks. A known defect is skipped too, of type xfail, as pytest
// has it: JUnit has no word for it, and it is no success.
func writeJUnit(w io.Writer, rep record.Report, _ Options) error {
	var suites junit.Testsuites
	seconds := 0.0
	for i, run := range rep.Runs {
		suite := junitSuite(run)
		suite.ID = i
		suites.AddSuite(suite)
		seconds += run.Seconds
	}
	suites.Name, suites.Time = "skleak", junitTime(seconds)
	// The schema of Jenkins' xUnit plugin (junit-10.xsd) knows it of a testsuite alone.
	suites.Skipped = 0

	// NB: not the library's own WriteXML, which leaves out the XML declaration.
	var out bytes.Buffer
	out.WriteString(xml.Header)
	enc := xml.NewEncoder(&out)
	enc.Indent("", "  ")
	if err := enc.Encode(suites); err != nil {
		return fmt.Errorf("write the report as JUnit: %w", err)
	}
	out.WriteByte('\n')
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report as JUnit: %w", err)
	}
	return nil
}

// junitSuite is one run. One that was cut short, found no kernel or has no
// result at all has an error of its own, so that it cannot read as a success.
func junitSuite(run record.Run) junit.Testsuite {
	k := run.Kernel
	suite := junit.Testsuite{
		Name: harmless(strings.TrimSpace(k.Source+" "+k.Release), false),
		Time: junitTime(run.Seconds),
	}
	for _, p := range []struct{ name, value string }{
		{"kernel.release", k.Release},
		{"kernel.version", k.Version},
		{"kernel.arch", k.Arch},
		{"kernel.source", k.Source},
		{"kernel.cmdline", k.Cmdline},
		{"kernel.config.sha256", k.Config},
	} {
		if p.value != "" {
			suite.AddProperty(p.name, harmless(p.value, false))
		}
	}
	for _, r := range run.Controls {
		suite.AddTestcase(junitCase(k, "control "+r.Scenario, r))
	}
	for _, r := range run.Results {
		suite.AddTestcase(junitCase(k, r.Scenario, r))
	}
	for _, crash := range run.Crashes {
		suite.AddTestcase(junit.Testcase{
			Name: "kernel stays up", Classname: junitClass(k, "run"), Time: junitTime(0),
			Failure: junitResult("crash", crashLine(crash)),
		})
	}
	if run.Trouble != "" {
		suite.AddTestcase(junitTrouble(k, "run", run.Trouble))
	}
	if run.Interrupted {
		suite.AddTestcase(junitTrouble(k, "run complete", "interrupted before its end"))
	}
	if len(run.Notes) > 0 {
		suite.SystemOut = junitOutput(run.Notes)
	}
	if suite.Tests == 0 {
		suite.AddTestcase(junitTrouble(k, "run", "it has no result"))
	}
	return suite
}

// junitCase is one result. Its class is kernel and family: what collects
// JUnit tells tests apart by class and name, not by suite.
func junitCase(k record.Kernel, name string, r record.Result) junit.Testcase {
	c := junit.Testcase{
		Name:      harmless(name, false),
		Classname: junitClass(k, family(r.Scenario)),
		Time:      junitTime(r.Seconds),
	}
	why := sentence(r.Reason, r.Hint)
	switch r.Status {
	case record.Pass:
	case record.XFail:
		c.Skipped = junitResult("xfail", knownText(r))
	case record.Fail:
		text := fmt.Sprintf("found %s, expected %s: %s", r.Verdict, r.Expected, why)
		c.Failure = junitResult(string(r.Verdict), strings.TrimSuffix(text, ": "))
	case record.Skip:
		c.Skipped = junitResult("missing", why)
	case record.Broken, record.Error:
		c.Error = junitResult(string(r.Status), why)
	default:
		c.Error = junitResult("unknown", fmt.Sprintf("unknown status %q", r.Status))
	}
	if lines := junitEvidence(r); len(lines) > 0 {
		c.SystemOut = junitOutput(lines)
	}
	return c
}

func junitTrouble(k record.Kernel, name, why string) junit.Testcase {
	return junit.Testcase{
		Name: name, Classname: junitClass(k, "run"), Time: junitTime(0),
		Error: junitResult("trouble", why),
	}
}

func junitClass(k record.Kernel, family string) string {
	return harmless(strings.TrimPrefix(k.Source+"."+family, "."), false)
}

func junitResult(kind, message string) *junit.Result {
	return &junit.Result{Type: harmless(kind, false), Message: harmless(message, false)}
}

// junitEvidence is what a verdict rests on: nothing where none was given.
func junitEvidence(r record.Result) []string {
	if r.Status == record.Skip || r.Status == record.Error {
		return nil
	}
	lines := []string{
		fmt.Sprintf("verdict %s, expected %s", r.Verdict, r.Expected),
		fmt.Sprintf("%d packets, %d bytes held, %d at most, %s a packet, truesize %d, sndbuf %d, writable %t, pinned sockets %d",
			r.Packets, r.HeldBytes, r.PeakBytes, number(r.BytesPerPacket), r.Truesize, r.SndBuf, r.Writable, r.PinnedSockets),
	}
	if r.Law != "" {
		lines = append(lines, "law: "+r.Law)
	}
	if r.Holder != "" || r.ReleasedBy != "" {
		lines = append(lines, fmt.Sprintf("holder: %s; released by: %s", r.Holder, r.ReleasedBy))
	}
	for _, step := range r.Ladder {
		text := strings.TrimSpace(step.Rung + " " + step.On)
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("ladder: %s: %d to %d; %s", text, step.Before, step.After, step.Error), "; "))
	}
	if why := sentence(r.Reason, r.Hint); why != "" {
		lines = append(lines, "reason: "+why)
	}
	if r.Flaky {
		lines = append(lines, "flaky: "+attemptsText(r))
	}
	return lines
}

// junitOutput is lines as system-out; none may break the XML around it.
func junitOutput(lines []string) *junit.Output {
	safe := make([]string, len(lines))
	for i, line := range lines {
		safe[i] = harmless(line, false)
	}
	return &junit.Output{Data: strings.Join(safe, "\n")}
}

// junitTime is seconds, as JUnit writes a duration.
func junitTime(seconds float64) string { return fmt.Sprintf("%.3f", max(seconds, 0)) }
