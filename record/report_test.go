// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"slices"
	"testing"
)

func TestExitCode(t *testing.T) {
	run := func(list ...Status) Run {
		var r Run
		for _, s := range list {
			r.Results = append(r.Results, Result{Status: s})
		}
		return r
	}
	controls := func(r Run, list ...Status) Run {
		for _, s := range list {
			r.Controls = append(r.Controls, Result{Status: s})
		}
		return r
	}
	trouble := func(r Run) Run { r.Trouble = "no boot"; return r }
	for _, c := range []struct {
		name         string
		runs         []Run
		want, strict int
	}{
		{"nothing", nil, 0, 0},
		{"no scenario", []Run{run()}, 0, 0},
		{"pass", []Run{run(Pass)}, 0, 0},
		{"pass and skip", []Run{run(Pass, Skip)}, 0, 0},
		{"xfail", []Run{run(Pass, XFail)}, 0, 1},
		{"xfail and skip", []Run{run(Skip, XFail)}, 0, 1},
		{"fail", []Run{run(Pass, Fail, Skip)}, 1, 1},
		{"error", []Run{run(Pass, Error)}, 2, 2},
		{"error and xfail", []Run{run(XFail, Error)}, 2, 1},
		{"fail before error", []Run{run(Error, Fail)}, 1, 1},
		{"broken before fail", []Run{run(Fail, Broken)}, 2, 2},
		{"a broken control", []Run{controls(run(Pass), Pass, Broken)}, 2, 2},
		{"a broken control before fail", []Run{controls(run(Fail), Broken)}, 2, 2},
		{"a control that is a finding", []Run{controls(run(Pass), Fail, Pass)}, 1, 1},
		{"a control that trouble stopped beside one that behaved", []Run{controls(run(Pass), Error, Pass)}, 2, 2},
		{"a control that could not be built", []Run{controls(run(Pass), Skip, Pass)}, 0, 0},
		{"all skipped", []Run{run(Skip, Skip)}, 4, 4},
		{"all skipped, with controls", []Run{controls(run(Skip), Pass)}, 4, 4},
		{"all skipped on two kernels", []Run{run(Skip), run(Skip)}, 4, 4},
		{"all skipped on one of two", []Run{run(Skip), run(Pass)}, 0, 0},
		{"fail on one of two", []Run{run(Pass), run(Fail)}, 1, 1},
		{"a kernel that did not boot", []Run{trouble(run()), run(Pass)}, 2, 2},
		{"a kernel that did not boot, all else skipped", []Run{trouble(run()), run(Skip)}, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := Report{Runs: c.runs}
			if got := rep.ExitCode(false); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
			if got := rep.ExitCode(true); got != c.strict {
				t.Errorf("strict exit code %d, want %d", got, c.strict)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	all := Verdicts()
	if len(all) != 8 || all[0] != Underflow || all[7] != Clean || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 8 {
		t.Errorf("verdicts %v", all)
	}
	for _, v := range all {
		if !v.Valid() {
			t.Errorf("%s is not valid", v)
		}
	}
	for _, v := range []Verdict{"", "Clean", "silent"} {
		if v.Valid() {
			t.Errorf("%q is valid", v)
		}
	}
	if n := len(Statuses()); n != 6 {
		t.Errorf("%d statuses", n)
	}
}

func TestHolderMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, holder string
		want            bool
	}{
		{"driver of *", "driver of v0", true},
		{"driver of v0", "driver of w0", false},
		{"driver of br0*", "driver of br0 in far", true},
		{NotKnown, "", true},
		{NotKnown, NotKnown, true},
		{NotKnown, "driver of v0", false},
		{"driver of v0", "", false},
		{"*", "", true},
	} {
		if got := HolderMatches(c.pattern, c.holder); got != c.want {
			t.Errorf("%q for %q: %t", c.pattern, c.holder, got)
		}
	}
	if ValidPattern("driver of [") || !ValidPattern("driver of *") {
		t.Error("patterns are told apart wrongly")
	}
}
