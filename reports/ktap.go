// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"skleak/record"
)

// writeKTAP writes KTAP version 1 as Documentation/dev-tools/ktap.rst of the
// kernel describes it: one run is the plan itself, several are tests with
// subtests. A control is a test like any other, so one that misbehaves fails
// the plan.
func writeKTAP(w io.Writer, rep record.Report, _ Options) error {
	var out bytes.Buffer
	out.WriteString("KTAP version 1\n")
	if len(rep.Runs) == 1 {
		run := rep.Runs[0]
		fmt.Fprintf(&out, "1..%d\n", len(ktapTests(run)))
		ktapRun(&out, run)
	} else {
		fmt.Fprintf(&out, "1..%d\n", len(rep.Runs))
		ktapRuns(&out, rep.Runs)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report as KTAP: %w", err)
	}
	return nil
}

// ktapRuns writes each run as a test with subtests.
func ktapRuns(out *bytes.Buffer, runs []record.Run) {
	var total ktapTotals
	for i, run := range runs {
		var sub bytes.Buffer
		fmt.Fprintf(&sub, "KTAP version 1\n1..%d\n", len(ktapTests(run)))
		totals := ktapRun(&sub, run)
		status := totals.status()
		for line := range strings.Lines(sub.String()) {
			out.WriteString("  " + line)
		}
		whole := ktapTest{
			name:   run.Kernel.Source + " " + run.Kernel.Release,
			status: status, seconds: run.Seconds,
		}
		if status == record.Skip {
			whole.reason = "every scenario was skipped"
		}
		out.WriteString(whole.line(i + 1))
		total.add(status)
	}
	out.WriteString(total.line())
}

// ktapRun writes what follows a plan: each test, its diagnostics before it,
// and the totals.
func ktapRun(out *bytes.Buffer, run record.Run) ktapTotals {
	var total ktapTotals
	k := run.Kernel
	ktapDiagnostic(out, fmt.Sprintf("kernel %s %s %s, from %s", k.Release, k.Arch, k.Version, k.Source))
	for i, t := range ktapTests(run) {
		for _, d := range t.diagnostics {
			ktapDiagnostic(out, d)
		}
		out.WriteString(t.line(i + 1))
		total.add(t.status)
	}
	out.WriteString(total.line())
	return total
}

func ktapDiagnostic(out *bytes.Buffer, text string) {
	out.WriteString("# " + harmless(text, false) + "\n")
}

// ktapTest is one result line and what goes before it.
type ktapTest struct {
	name        string
	status      record.Status
	reason      string
	seconds     float64
	diagnostics []string
}

// ktapTests are the tests of a run. One that was cut short or found no kernel
// has one more, so that it cannot read as a success.
func ktapTests(run record.Run) []ktapTest {
	var tests []ktapTest
	for _, r := range run.Controls {
		tests = append(tests, ktapResult("control "+r.Scenario, r))
	}
	for _, r := range run.Results {
		tests = append(tests, ktapResult(r.Scenario, r))
	}
	for _, c := range run.Crashes {
		tests = append(tests, ktapTest{name: "kernel stays up", status: record.Fail, reason: crashLine(c)})
	}
	if run.Trouble != "" {
		tests = append(tests, ktapTest{name: "run", status: record.Error, reason: run.Trouble})
	}
	if run.Interrupted {
		tests = append(tests, ktapTest{name: "run complete", status: record.Error, reason: "interrupted before its end"})
	}
	return tests
}

func ktapResult(name string, r record.Result) ktapTest {
	t := ktapTest{name: name, status: r.Status, reason: sentence(r.Reason, r.Hint), seconds: r.Seconds}
	switch r.Status {
	case record.XFail:
		t.reason = knownText(r)
	case record.Pass:
		t.reason = ""
	case record.Fail:
		// NB: the verdict first, so that a reason that begins with "skip" is not
		// read as a directive.
		t.reason = strings.TrimSuffix(fmt.Sprintf("found %s: %s", r.Verdict, t.reason), ": ")
	case record.Skip, record.Broken, record.Error:
	default:
		t.reason = fmt.Sprintf("unknown status %q", r.Status)
	}
	if r.Status == record.Skip || r.Status == record.Error {
		return t
	}
	t.diagnostics = append(t.diagnostics, fmt.Sprintf(
		"verdict=%s expected=%q packets=%d held_bytes=%d peak_bytes=%d bytes_per_packet=%s truesize=%d sndbuf=%d writable=%t pinned_sockets=%d",
		r.Verdict, r.Expected, r.Packets, r.HeldBytes, r.PeakBytes, number(r.BytesPerPacket), r.Truesize, r.SndBuf, r.Writable, r.PinnedSockets))
	if r.Holder != "" || r.ReleasedBy != "" {
		t.diagnostics = append(t.diagnostics, fmt.Sprintf("holder=%q released_by=%q self_release_ms=%s", r.Holder, r.ReleasedBy, selfRelease(r)))
	}
	for _, text := range []string{r.Law, r.Reason} {
		if text != "" {
			t.diagnostics = append(t.diagnostics, text)
		}
	}
	if r.Flaky {
		t.diagnostics = append(t.diagnostics, "flaky: "+attemptsText(r))
	}
	return t
}

func selfRelease(r record.Result) string {
	if r.SelfReleaseMs == nil {
		return "never"
	}
	return fmt.Sprint(*r.SelfReleaseMs)
}

// line is the result line. The time comes last in the diagnostic data, where
// netdev's CI (NIPA) looks for it, whatever the directive.
func (t ktapTest) line(n int) string {
	word, directive := "not ok", ""
	switch t.status {
	case record.Pass:
		word = "ok"
	case record.XFail:
		word, directive = "ok", "XFAIL"
	case record.Skip:
		word, directive = "ok", "SKIP"
	case record.Fail:
	default:
		directive = "ERROR"
	}
	data := []string{}
	for _, part := range []string{directive, ktapWord(t.reason)} {
		if part != "" {
			data = append(data, part)
		}
	}
	data = append(data, fmt.Sprintf("time=%dms", int64(math.Round(max(t.seconds, 0)*1000))))
	return fmt.Sprintf("%s %d %s # %s\n", word, n, ktapWord(t.name), strings.Join(data, " "))
}

// ktapWord is text that cannot end a description or start another directive:
// KTAP has no way to quote the hash sign, so it is shown escaped.
func ktapWord(s string) string {
	return strings.ReplaceAll(strings.TrimSpace(harmless(s, false)), "#", `\x23`)
}

// ktapTotals counts as kselftest does.
type ktapTotals struct{ pass, fail, xfail, skip, err int }

func (n *ktapTotals) add(s record.Status) {
	switch s {
	case record.Pass:
		n.pass++
	case record.XFail:
		n.xfail++
	case record.Skip:
		n.skip++
	case record.Fail:
		n.fail++
	default:
		n.err++
	}
}

// status is that of the test these are the subtests of.
func (n *ktapTotals) status() record.Status {
	switch {
	case n.fail+n.err > 0:
		return record.Fail
	case n.skip > 0 && n.pass+n.xfail == 0:
		return record.Skip
	default:
		return record.Pass
	}
}

func (n *ktapTotals) line() string {
	return fmt.Sprintf("# Totals: pass:%d fail:%d xfail:%d xpass:0 skip:%d error:%d\n", n.pass, n.fail, n.xfail, n.skip, n.err)
}
