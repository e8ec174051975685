// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// sinceWhen lists the kernels that show it and those that do not, in the order
// they ran.
func (m *mail) sinceWhen() []string {
	if len(m.c.seen)+len(m.c.others) < 2 {
		return []string{"Only this kernel was tried. skleak matrix tries others."}
	}
	var lines []string
	for _, s := range slices.Concat(m.c.seen, m.c.others) {
		shown := string(s.result.Verdict)
		if s.result.HeldBytes > 0 {
			shown += fmt.Sprintf(", %d bytes", s.result.HeldBytes)
		}
		if s.result.Holder != "" {
			shown += ", " + s.result.Holder
		}
		lines = append(lines, fmt.Sprintf("  %-24s %-8s %s", s.run.Kernel.Name(), s.result.Status, shown))
	}
	return lines
}

// regression gives the newest kernel that is as expected and the oldest that is
// not, where every kernel tried that is older is as expected and every newer one is
// not; all of them by the release of kernel.org they were made of.
func (c mailCase) regression() (good, bad seenOn, ok bool) {
	tried := slices.Concat(c.seen, c.others)
	for _, s := range tried {
		if _, known := s.run.Kernel.Upstream(); !known || s.result.Flaky || s.result.Status != record.Fail && s.result.Status != record.Pass {
			return good, bad, false
		}
	}
	slices.SortStableFunc(tried, func(a, b seenOn) int {
		u, _ := a.run.Kernel.Upstream()
		v, _ := b.run.Kernel.Upstream()
		return u.Compare(v)
	})
	first := slices.IndexFunc(tried, func(s seenOn) bool { return s.result.Status == record.Fail })
	if first < 1 {
		return good, bad, false
	}
	for _, s := range tried[first:] {
		if s.result.Status != record.Fail {
			return good, bad, false
		}
	}
	return tried[first-1], tried[first], true
}

// regressionLines say so as Documentation/admin-guide/reporting-regressions.rst
// wants it.
func regressionLines(good, bad seenOn, ok bool) []string {
	if !ok {
		return nil
	}
	from, _ := good.run.Kernel.Upstream()
	to, _ := bad.run.Kernel.Upstream()
	lines := []string{"", fmt.Sprintf("  last good: %s (%s), first bad: %s (%s)", from, good.run.Kernel.Name(), to, bad.run.Kernel.Name())}
	for _, s := range []seenOn{good, bad} {
		if strings.HasPrefix(s.run.Kernel.Source, "debian:") {
			return append(lines, "  These are a distribution's kernels: try vanilla ones of these releases before",
				"  it is reported as a regression (skleak matrix takes the folder of a build).")
		}
	}
	return append(lines, "", fmt.Sprintf("#regzbot introduced: v%s..v%s", from, to))
}
