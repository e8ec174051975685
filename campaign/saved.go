package campaign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"skleak/record"
	"skleak/scenarios"
)

// Saved is a folder of traces: FAMILY/CASE/ holds scenario.yaml and
// trace-1.json, and trace-2.json where a fail was tried again.
type Saved struct{ Dir string }

// Save writes one trace and its scenario. It fits Options.Save.
func (s Saved) Save(sc scenarios.Scenario, attempt int, t record.Trace) error {
	dir := s.folder(sc.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder for the trace of %s: %w", sc.Name, err)
	}
	var yaml bytes.Buffer
	if err := scenarios.Encode(&yaml, []scenarios.Scenario{sc}); err != nil {
		return fmt.Errorf("encode scenario %s: %w", sc.Name, err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, scenarioFile), yaml.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write scenario of %s: %w", sc.Name, err)
	}
	data, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return fmt.Errorf("encode trace of %s: %w", sc.Name, err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, traceFile(attempt)), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write trace of %s: %w", sc.Name, err)
	}
	return nil
}

const scenarioFile = "scenario.yaml"

func traceFile(attempt int) string { return fmt.Sprintf("trace-%d.json", attempt) }

func (s Saved) folder(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// Scenarios lists the scenarios of the folder by name.
func (s Saved) Scenarios() ([]scenarios.Scenario, error) {
	files, err := filepath.Glob(filepath.Join(s.Dir, "*", "*", scenarioFile))
	if err != nil {
		return nil, fmt.Errorf("look for traces in %s: %w", s.Dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no trace in %s: want a folder made by `skleak run --save`", s.Dir)
	}
	slices.Sort(files)
	var all []scenarios.Scenario
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read saved scenario: %w", err)
		}
		list, err := scenarios.Decode(file, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// Replay is a Runner that yields the saved traces instead of running anything.
func (s Saved) Replay() Runner { return &replay{saved: s, next: map[string]int{}} }

type replay struct {
	saved Saved
	next  map[string]int
}

// Run implements Runner. Each call yields the next attempt of each scenario.
func (r *replay) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		for _, sc := range list {
			if ctx.Err() != nil {
				yield(record.Event{}, ctx.Err())
				return
			}
			r.next[sc.Name]++
			t, err := r.saved.trace(sc.Name, r.next[sc.Name])
			if errors.Is(err, fs.ErrNotExist) && r.next[sc.Name] > 1 {
				continue
			}
			if err != nil {
				yield(record.Event{}, err)
				return
			}
			if !yield(record.Event{Kind: record.EventHello, Kernel: &t.Kernel}, nil) ||
				!yield(record.Event{Kind: record.EventTrace, Scenario: sc.Name, Trace: &t}, nil) {
				return
			}
		}
	}
}

func (s Saved) trace(name string, attempt int) (t record.Trace, err error) {
	path := filepath.Join(s.folder(name), traceFile(attempt))
	f, err := os.Open(path)
	if err != nil {
		return record.Trace{}, fmt.Errorf("open saved trace: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if t, err = record.ReadTrace(f); err != nil {
		return record.Trace{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
