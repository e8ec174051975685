// SPDX-License-Identifier: GPL-2.0-only

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
	"strings"

	"github.com/google/renameio/v2"

	"skleak/record"
	"skleak/record/foreign"
	"skleak/scenarios"
)

// Saved is a folder of the traces of one run: FAMILY/CASE/ holds scenario.yaml
// and trace-1.json, and trace-2.json where a fail was tried again; run.json says
// what was to run and whether it came to its end.
type Saved struct{ Dir string }

// ErrSaved is in the error of a folder that does not hold the traces of one
// run, whole and unchanged.
var ErrSaved = errors.New("not the traces of one run")

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
	if len(data) > record.MaxBytes {
		return fmt.Errorf("trace of %s has %d bytes, and no reader takes more than %d; send less, or for a shorter time", sc.Name, len(data), record.MaxBytes)
	}
	if err := renameio.WriteFile(filepath.Join(dir, traceFile(attempt)), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write trace of %s: %w", sc.Name, err)
	}
	return nil
}

const scenarioFile = "scenario.yaml"

func traceFile(attempt int) string { return fmt.Sprintf("trace-%d.json", attempt) }

func (s Saved) folder(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// maxSaved bounds the scenarios of a folder.
const maxSaved = 10000

// Scenarios lists the scenarios of the folder by name. The folder may come from
// elsewhere: see package foreign.
func (s Saved) Scenarios(ctx context.Context) (all []scenarios.Scenario, err error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of traces: %w; want a folder made by `skleak run --save`", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	files, err := fs.Glob(root.FS(), "*/*/"+scenarioFile)
	if err != nil {
		return nil, fmt.Errorf("look for traces in %s: %w", s.Dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no trace in %s: want a folder made by `skleak run --save`", s.Dir)
	}
	if len(files) > maxSaved {
		return nil, fmt.Errorf("%w: %s has %d scenarios, want at most %d", ErrSaved, s.Dir, len(files), maxSaved)
	}
	slices.Sort(files)
	for _, file := range files {
		sc, err := s.scenario(ctx, root, file)
		if err != nil {
			return nil, err
		}
		all = append(all, sc)
	}
	return all, nil
}

// scenario reads the one scenario of a file, which must be that of its folder.
func (s Saved) scenario(ctx context.Context, root *os.Root, file string) (scenarios.Scenario, error) {
	data, err := foreign.ReadIn(ctx, root, file, scenarios.MaxFileBytes)
	if err != nil {
		return scenarios.Scenario{}, fmt.Errorf("saved scenario: %w", err)
	}
	name := filepath.Join(s.Dir, file)
	list, err := scenarios.Decode(name, bytes.NewReader(data))
	if err != nil {
		return scenarios.Scenario{}, err
	}
	folder := strings.TrimSuffix(file, "/"+scenarioFile)
	if len(list) != 1 || list[0].Name != folder {
		return scenarios.Scenario{}, fmt.Errorf("%w: %s has the scenario %s and %d more, want %s alone; save the run again", ErrSaved, name, list[0].Name, len(list)-1, folder)
	}
	return list[0], nil
}

// Replay is a Runner that yields the saved traces instead of running anything.
func (s Saved) Replay() Runner { return &replay{saved: s, next: map[string]int{}} }

type replay struct {
	saved Saved
	next  map[string]int
	// first is the trace that says which kernel all others are of.
	first *record.Trace
}

// Run implements Runner. Each call yields the next attempt of each scenario.
func (r *replay) Run(ctx context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		for _, sc := range list {
			r.next[sc.Name]++
			t, err := r.trace(ctx, sc.Name, r.next[sc.Name])
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

// trace reads one that belongs to those read before.
func (r *replay) trace(ctx context.Context, name string, attempt int) (record.Trace, error) {
	t, err := r.saved.Trace(ctx, name, attempt)
	if err != nil {
		return record.Trace{}, err
	}
	if r.first == nil {
		r.first = &t
	}
	if was := r.first.Kernel; t.Kernel.Release != was.Release || t.Kernel.Version != was.Version || t.Kernel.Source != was.Source {
		return record.Trace{}, fmt.Errorf("%w: %s has %s of kernel %s (%s) and %s of kernel %s (%s); save each run in a folder of its own",
			ErrSaved, r.saved.Dir, r.first.Scenario, was.Release, was.Version, name, t.Kernel.Release, t.Kernel.Version)
	}
	return t, nil
}

// Trace reads the trace of one try of a scenario; tries count from 1.
func (s Saved) Trace(ctx context.Context, name string, attempt int) (t record.Trace, err error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return record.Trace{}, fmt.Errorf("open the folder of traces: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	file := filepath.Join(filepath.FromSlash(name), traceFile(attempt))
	data, err := foreign.ReadIn(ctx, root, file, record.MaxBytes)
	if err != nil {
		return record.Trace{}, fmt.Errorf("saved trace of %s: %w", name, err)
	}
	path := filepath.Join(s.Dir, file)
	if t, err = record.ReadTrace(bytes.NewReader(data)); err != nil {
		return record.Trace{}, fmt.Errorf("%s: %w", path, err)
	}
	if lacks := t.Lacks(); len(lacks) > 0 {
		return record.Trace{}, fmt.Errorf("%w: %s lacks %s; save the run again", ErrSaved, path, strings.Join(lacks, ", "))
	}
	if t.Scenario != name {
		return record.Trace{}, fmt.Errorf("%w: %s is the trace of %q, want that of %s", ErrSaved, path, t.Scenario, name)
	}
	return t, nil
}
