// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// traced fills in what the trace of a real run has.
func traced(name string, e record.Event) record.Event {
	e.Trace.Scenario, e.Trace.Kernel = name, record.Kernel{Release: "6.1", Source: "host"}
	return e
}

// savedRunOf saves a run of the first scenarios of the catalogue, of which the
// first fails once.
func savedRunOf(t *testing.T, n int) (Saved, []scenarios.Scenario, record.Run) {
	t.Helper()
	saved := Saved{Dir: filepath.Join(t.TempDir(), "traces")}
	catalogue, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	list := catalogue[:n]
	controls := slices.DeleteFunc(slices.Clone(catalogue), func(sc scenarios.Scenario) bool {
		return sc.Name != "control/tbf" && sc.Name != "control/veth"
	})
	first, second := map[string]record.Event{}, map[string]record.Event{}
	for name, e := range sound(map[string]record.Event{}) {
		first[name] = traced(name, e)
	}
	for i := range list {
		list[i].Expect, list[i].Known = []record.Verdict{record.Clean}, nil
		first[list[i].Name] = traced(list[i].Name, cleanEvent())
	}
	first[list[0].Name] = traced(list[0].Name, stalledEvent())
	second[list[0].Name] = traced(list[0].Name, cleanEvent())
	run, err := Run(t.Context(), &fake{rounds: []map[string]record.Event{first, second}}, list, controls, saved.Options(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return saved, list, run
}

// judged judges a folder as the command does.
func judged(t *testing.T, saved Saved) (run record.Run, gap string, err error) {
	t.Helper()
	all, err := saved.Scenarios(t.Context())
	if err != nil {
		return record.Run{}, "", err
	}
	list, controls := Split(all)
	if run, err = Run(t.Context(), saved.Replay(), list, controls, Options{}); err != nil {
		return record.Run{}, "", err
	}
	gap, err = saved.Gap(t.Context(), namesOf(all))
	return run, gap, err
}

func TestSavedReplaysTheSame(t *testing.T) {
	saved, _, first := savedRunOf(t, 2)
	again, gap, err := judged(t, saved)
	if err != nil || gap != "" {
		t.Fatal(gap, err)
	}
	a := first.Results[0]
	for _, b := range again.Results {
		if b.Scenario == a.Scenario && (a.Status != record.Fail || b.Status != a.Status || b.Verdict != a.Verdict || !b.Flaky || len(b.Attempts) != 2) {
			t.Errorf("judged again: %+v\nwant %+v", b, a)
		}
	}
	if len(again.Results) != 2 || len(again.Controls) != 2 {
		t.Errorf("%d results, %d controls", len(again.Results), len(again.Controls))
	}
}

// The same traces without those of the controls prove nothing.
func TestSavedWithoutControls(t *testing.T) {
	saved, _, _ := savedRunOf(t, 2)
	if err := os.RemoveAll(filepath.Join(saved.Dir, "control")); err != nil {
		t.Fatal(err)
	}
	run, gap, err := judged(t, saved)
	if err != nil || !strings.Contains(gap, "control/tbf") {
		t.Errorf("gap %q, %v", gap, err)
	}
	for _, res := range run.Results {
		if res.Status != record.Broken || !strings.Contains(res.Reason, "no control that must hold was run, or saved with these traces") {
			t.Errorf("%s: %s, %s", res.Scenario, res.Status, res.Reason)
		}
	}
}

func TestAFolderIsSavedIntoOnce(t *testing.T) {
	saved, list, _ := savedRunOf(t, 1)
	r := &fake{rounds: []map[string]record.Event{{list[0].Name: cleanEvent()}}}
	_, err := Run(t.Context(), r, list, nil, saved.Options(Options{}))
	if err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("%v, want a refusal", err)
	}
}

// What a stranger, or a slip, can have done to a folder of traces.
func TestSavedFoldersThatAreNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, trace, scenario, run string)
		want  string
	}{
		"garbage at the end": {func(t *testing.T, trace, _, _ string) { appendTo(t, trace, "\x1b]0;x\x07") }, "after top-level value"},
		"only the schema":    {func(t *testing.T, trace, _, _ string) { rewrite(t, trace, `{"schema":"skleak-trace/1"}`) }, "lacks scenario, kernel.release, sockets"},
		"another scenario's": {func(t *testing.T, trace, _, _ string) { replaceIn(t, trace, `"scenario": "`, `"scenario": "x`) }, "is the trace of"},
		"another kernel's":   {func(t *testing.T, trace, _, _ string) { replaceIn(t, trace, `"release": "6.1"`, `"release": "6.2"`) }, "6.2"},
		"no trace":           {func(t *testing.T, trace, _, _ string) { remove(t, trace) }, "no such file"},
		"trace is a pipe":    {func(t *testing.T, trace, _, _ string) { remove(t, trace); check(t, unix.Mkfifo(trace, 0o600)) }, "a pipe"},
		"trace is a link":    {func(t *testing.T, trace, _, _ string) { remove(t, trace); check(t, os.Symlink("/dev/zero", trace)) }, "a symbolic link"},
		"endless scenario":   {func(t *testing.T, _, sc, _ string) { remove(t, sc); check(t, os.Symlink("/dev/zero", sc)) }, "a symbolic link"},
		"long trace":         {func(t *testing.T, trace, _, _ string) { check(t, os.Truncate(trace, 2<<30)) }, "too long"},
		"long scenario":      {func(t *testing.T, _, sc, _ string) { check(t, os.Truncate(sc, 2<<30)) }, "too long"},
		"other scenario":     {func(t *testing.T, _, sc, _ string) { replaceIn(t, sc, "name: ", "name: x") }, "alone"},
		"no run.json":        {func(t *testing.T, _, _, run string) { remove(t, run) }, "run.json is missing"},
		"broken run.json":    {func(t *testing.T, _, _, run string) { rewrite(t, run, "{") }, "run.json"},
		"run.json of others": {func(t *testing.T, _, _, run string) { rewrite(t, run, `{"schema":"skleak-saved/9"}`) }, "skleak-saved/9"},
		"interrupted":        {func(t *testing.T, _, _, run string) { replaceIn(t, run, `"finished": true`, `"finished": false`) }, "interrupted"},
		"not to run":         {func(t *testing.T, _, _, run string) { replaceIn(t, run, `"planned": [`, `"planned": [], "x": [`) }, "was not to run"},
	} {
		t.Run(name, func(t *testing.T) {
			saved, list, _ := savedRunOf(t, 2)
			dir := filepath.Join(saved.Dir, list[1].Name)
			c.spoil(t, filepath.Join(dir, "trace-1.json"), filepath.Join(dir, scenarioFile), filepath.Join(saved.Dir, SavedRunFile))
			_, gap, err := judged(t, saved)
			if err != nil {
				gap += err.Error()
			}
			if !strings.Contains(gap, c.want) {
				t.Errorf("%q, want %q", gap, c.want)
			}
		})
	}
}

func TestSavedRunNamesWhatIsMissing(t *testing.T) {
	saved, list, _ := savedRunOf(t, 3)
	if err := os.RemoveAll(filepath.Join(saved.Dir, list[2].Name)); err != nil {
		t.Fatal(err)
	}
	if _, gap, err := judged(t, saved); err != nil || gap != "without a trace: "+list[2].Name {
		t.Errorf("%q, %v", gap, err)
	}
}

// The end of a run is not told of one that stopped before.
func TestAStoppedRunIsNotFinished(t *testing.T) {
	saved := Saved{Dir: t.TempDir()}
	stop := errors.New("stopped")
	r := &fake{rounds: []map[string]record.Event{{"f/a": {Kind: record.EventSkip, Text: "no"}}}, err: stop}
	list := []scenarios.Scenario{{Name: "f/a"}, {Name: "f/b"}}
	run, err := Run(t.Context(), r, list, nil, saved.Options(Options{}))
	if !errors.Is(err, stop) || len(run.Missing) == 0 {
		t.Errorf("%v, missing %v", err, run.Missing)
	}
	if gap, err := saved.Gap(t.Context(), nil); err != nil || !strings.Contains(gap, "interrupted; without a trace: f/a, f/b") {
		t.Errorf("%q, %v", gap, err)
	}
}

func TestSavedWithoutTraces(t *testing.T) {
	if _, err := (Saved{Dir: t.TempDir()}).Scenarios(t.Context()); err == nil {
		t.Error("an empty folder gave no error")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) { t.Helper(); check(t, os.Remove(file)) }

func rewrite(t *testing.T, file, text string) {
	t.Helper()
	check(t, os.WriteFile(file, []byte(text), 0o600))
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	rewrite(t, file, string(data)+text)
}

func replaceIn(t *testing.T, file, from, to string) {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	if !strings.Contains(string(data), from) {
		t.Fatalf("%s has no %q", file, from)
	}
	rewrite(t, file, strings.Replace(string(data), from, to, 1))
}

// FuzzMerge merges what any two reports say; what comes out is bounded by what
// the first says the matrix has.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"schema":"skleak/1","runs":[],"shard":{"index":1,"of":10000,"kernels":["k"],"scenarios":["a/b"]}}`),
		[]byte(`{"schema":"skleak/1","runs":[{"kernel":{"source":"k"},"results":[{"scenario":"a/b","status":"pass"}]}],"shard":{"index":2,"of":2,"kernels":["k"],"scenarios":["a/b"]}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var reports []record.Report
		for _, data := range [][]byte{a, b} {
			rep, err := record.ReadReport(strings.NewReader(string(data)))
			if err != nil {
				return
			}
			reports = append(reports, rep)
		}
		Diff(reports[0], reports[1])
		whole, err := Merge(reports)
		if err != nil {
			return
		}
		plan := reports[0].Shard
		if len(whole.Runs) != len(plan.Kernels) {
			t.Errorf("%d runs of %d kernels", len(whole.Runs), len(plan.Kernels))
		}
		for _, run := range whole.Runs {
			if len(run.Results) > len(plan.Scenarios) || len(run.Results) < len(plan.Scenarios) && run.Trouble == "" {
				t.Errorf("%d results of %d scenarios, trouble %q", len(run.Results), len(plan.Scenarios), run.Trouble)
			}
		}
	})
}
