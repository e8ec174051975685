// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

// matrixOf is the report of a matrix: every scenario on every kernel.
func matrixOf(kernels, scenarios int) record.Report {
	rep := record.Report{Schema: record.ReportSchema, Runs: []record.Run{}, Shard: &record.Shard{Index: 1, Of: 1}}
	for sc := range scenarios {
		rep.Shard.Scenarios = append(rep.Shard.Scenarios, fmt.Sprintf("a/%d", sc))
	}
	for k := range kernels {
		name := fmt.Sprintf("debian:6.%d", k)
		rep.Shard.Kernels = append(rep.Shard.Kernels, name)
		run := record.Run{
			Kernel:   record.Kernel{Release: name, Source: name},
			Controls: []record.Result{{Scenario: "control/plug", Status: record.Pass}}, Results: []record.Result{},
		}
		for _, sc := range rep.Shard.Scenarios {
			run.Results = append(run.Results, record.Result{Scenario: sc, Status: record.Pass, Verdict: record.Clean})
		}
		rep.Runs = append(rep.Runs, run)
	}
	return rep
}

// shardOf cuts a shard out of the whole, as a run of it would be.
func shardOf(whole record.Report, index, of int) record.Report {
	s := *whole.Shard
	s.Index, s.Of = index, of
	part := record.Report{Schema: whole.Schema, Shard: &s}
	for k, run := range whole.Runs {
		mine := run
		mine.Results = nil
		for i, res := range run.Results {
			if s.Owns(k, i) {
				mine.Results = append(mine.Results, res)
			}
		}
		if len(mine.Results) > 0 {
			part.Runs = append(part.Runs, mine)
		}
	}
	return part
}

func TestMergeOfAllShardsIsTheWhole(t *testing.T) {
	for kernels := 1; kernels <= 4; kernels++ {
		for scenarios := 1; scenarios <= 5; scenarios++ {
			whole := matrixOf(kernels, scenarios)
			for of := 1; of <= kernels*scenarios+2; of++ {
				var parts []record.Report
				cells := 0
				// In whatever order they come.
				for i := of; i >= 1; i-- {
					part := shardOf(whole, i, of)
					for _, run := range part.Runs {
						cells += len(run.Results)
					}
					parts = append(parts, part)
				}
				got, err := Merge(parts)
				if err != nil {
					t.Fatal(err)
				}
				want := whole
				want.Shard = nil
				if d := cmp.Diff(want, got); d != "" || cells != kernels*scenarios {
					t.Fatalf("%d kernels, %d scenarios in %d shards: %d cells, %s", kernels, scenarios, of, cells, d)
				}
			}
		}
	}
}

func TestAShardIsEven(t *testing.T) {
	whole := matrixOf(6, 95)
	for i := 1; i <= 6; i++ {
		part := shardOf(whole, i, 6)
		if len(part.Runs) != 1 || len(part.Runs[0].Results) != 95 {
			t.Errorf("shard %d/6 of six kernels has %d runs", i, len(part.Runs))
		}
	}
}

func TestMissingShardIsNeverPassed(t *testing.T) {
	whole := matrixOf(2, 3)
	got, err := Merge([]record.Report{shardOf(whole, 1, 3), shardOf(whole, 3, 3)})
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for _, run := range got.Runs {
		if len(run.Results) != 3 || !strings.HasPrefix(run.Trouble, "shard 2/3 is missing: a/") {
			t.Errorf("%s: %d results, trouble %q", run.Kernel.Source, len(run.Results), run.Trouble)
		}
		for _, res := range run.Results {
			if res.Status == record.Error && res.Reason == "shard 2/3 is missing" {
				missing++
			}
		}
	}
	if missing != 2 || got.ExitCode(false) != 2 {
		t.Errorf("%d results are missing, exit code %d", missing, got.ExitCode(false))
	}
}

func TestMergeKeepsABrokenControl(t *testing.T) {
	whole := matrixOf(1, 4)
	first, second := shardOf(whole, 1, 2), shardOf(whole, 2, 2)
	second.Runs[0].Controls = []record.Result{{Scenario: "control/plug", Status: record.Broken}}
	for _, parts := range [][]record.Report{{first, second}, {second, first}} {
		got, err := Merge(parts)
		if err != nil || got.Runs[0].Controls[0].Status != record.Broken {
			t.Errorf("%v, %v", got.Runs, err)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	whole, other := matrixOf(2, 3), matrixOf(2, 4)
	outside := shardOf(whole, 1, 2)
	outside.Shard.Index = 3
	for name, parts := range map[string][]record.Report{
		"nothing":          {},
		"a shard twice":    {shardOf(whole, 1, 2), shardOf(whole, 1, 2)},
		"another matrix":   {shardOf(whole, 1, 2), shardOf(other, 2, 2)},
		"another number":   {shardOf(whole, 1, 2), shardOf(whole, 2, 3)},
		"no shard at all":  {{Schema: record.ReportSchema}},
		"a shard too many": {outside},
	} {
		if _, err := Merge(parts); !errors.Is(err, ErrShards) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiff(t *testing.T) {
	a, b := matrixOf(3, 5), matrixOf(3, 5)
	b.Runs[0].Kernel.Source = "debian:7.0"
	b.Runs[1].Results = append(b.Runs[1].Results[1:], record.Result{Scenario: "a/new", Status: record.Fail, Verdict: record.Leaked})
	b.Runs[2].Results[0].Verdict = record.Stalled
	b.Runs[2].Results[1].Status = record.Broken
	for i, held := range map[int][2]int64{2: {10_000, 20_000}, 3: {106_560, 107_520}, 4: {0, 768}} {
		a.Runs[2].Results[i].HeldBytes, b.Runs[2].Results[i].HeldBytes = held[0], held[1]
		a.Runs[2].Results[i].Truesize, b.Runs[2].Results[i].Truesize = 768, 960
	}
	want := []Change{
		{"debian:6.0", "", ChangeGone, "5 results", ""},
		{"debian:6.1", "a/new", ChangeNew, "", "leaked (fail)"},
		{"debian:6.1", "a/0", ChangeGone, "clean (pass)", ""},
		{"debian:6.2", "a/0", ChangeVerdict, "clean (pass)", "stalled (pass)"},
		{"debian:6.2", "a/1", ChangeStatus, "clean (pass)", "clean (broken)"},
		{"debian:6.2", "a/2", ChangeHeld, "10000 bytes", "20000 bytes"},
		{"debian:7.0", "", ChangeNew, "", "5 results"},
	}
	if d := cmp.Diff(want, Diff(a, b)); d != "" {
		t.Error(d)
	}
	if same := Diff(a, a); len(same) != 0 {
		t.Errorf("a report differs from itself: %v", same)
	}
	// Two reports of one kernel each belong together, whatever they are called.
	a.Runs, b.Runs = a.Runs[:1], b.Runs[:1]
	if same := Diff(a, b); len(same) != 0 {
		t.Errorf("one kernel each: %v", same)
	}
}

func TestMergeNamesWhatIsMissing(t *testing.T) {
	whole := matrixOf(2, 3)
	for name, c := range map[string]struct {
		change func(*record.Report)
		want   string
	}{
		"interrupted": {func(r *record.Report) {
			r.Runs[0].Interrupted, r.Runs[0].Results = true, r.Runs[0].Results[:1]
		}, "shard 1/2 was interrupted: a/1, a/2"},
		"empty":          {func(r *record.Report) { r.Runs = nil }, "shard 1/2 came without its share: a/0, a/1, a/2"},
		"trouble is own": {func(r *record.Report) { r.Runs[0].Results, r.Runs[0].Trouble = nil, "no boot" }, "no boot"},
	} {
		first := shardOf(whole, 1, 2)
		c.change(&first)
		got, err := Merge([]record.Report{first, shardOf(whole, 2, 2)})
		if err != nil {
			t.Fatal(name, err)
		}
		if got.Runs[0].Trouble != c.want || got.Runs[1].Trouble != "" || got.ExitCode(false) != 2 {
			t.Errorf("%s: trouble %q and %q, status %d", name, got.Runs[0].Trouble, got.Runs[1].Trouble, got.ExitCode(false))
		}
	}
}

func TestMergeRefusesWhatIsNotTheShare(t *testing.T) {
	whole := matrixOf(2, 3)
	for name, change := range map[string]func(*record.Report){
		"another kernel":   func(r *record.Report) { r.Runs[0].Kernel.Source = "debian:7.9" },
		"another scenario": func(r *record.Report) { r.Runs[0].Results[0].Scenario = "x/y" },
		"another's share":  func(r *record.Report) { r.Runs[0].Kernel.Source = whole.Shard.Kernels[1] },
		"kernel twice":     func(r *record.Report) { r.Runs = append(r.Runs, r.Runs[0]) },
		"scenario twice":   func(r *record.Report) { r.Runs[0].Results = append(r.Runs[0].Results, r.Runs[0].Results[0]) },
	} {
		first := shardOf(whole, 1, 2)
		change(&first)
		if _, err := Merge([]record.Report{first, shardOf(whole, 2, 2)}); !errors.Is(err, ErrShards) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMergeTellsOfTwoReleasesOfOneKernel(t *testing.T) {
	whole := matrixOf(1, 4)
	parts := []record.Report{shardOf(whole, 1, 2), shardOf(whole, 2, 2)}
	parts[1].Runs[0].Kernel.Release = "6.0-next"
	got, err := Merge(parts)
	if err != nil || !strings.Contains(got.Runs[0].Trouble, "6.0-next") {
		t.Errorf("%v, %+v", err, got.Runs)
	}
}

func TestDiffTellsAChangedHolderAndLaw(t *testing.T) {
	before := record.Result{Scenario: "a/0", Status: record.Pass, Verdict: record.Held, Holder: "qdisc tbf on v0", ReleasedBy: "qdisc deleted", Law: "A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on."}
	for kind, change := range map[ChangeKind]func(*record.Result){
		"": func(r *record.Result) {
			r.Law = strings.ReplaceAll(strings.ReplaceAll(r.Law, "3.0 s", "900 ms"), "43", "44")
		},
		ChangeHolder:  func(r *record.Result) { r.Holder = "driver veth of v0" },
		ChangeRelease: func(r *record.Result) { r.ReleasedBy = "link deleted" },
		ChangeLaw:     func(r *record.Result) { r.Law = "Nothing lets go by itself: each packet keeps 320 bytes." },
	} {
		after := before
		change(&after)
		report := func(r record.Result) record.Report {
			return record.Report{Runs: []record.Run{{Kernel: record.Kernel{Release: "6.1"}, Results: []record.Result{r}}}}
		}
		got := Diff(report(before), report(after))
		if kind == "" && len(got) > 0 || kind != "" && (len(got) != 1 || got[0].Kind != kind) {
			t.Errorf("want %q, got %+v", kind, got)
		}
	}
}
