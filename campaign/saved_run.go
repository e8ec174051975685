// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"skleak/record"
	"skleak/record/foreign"
)

// SavedRunFile tells what a folder of traces should hold.
const SavedRunFile = "run.json"

// SavedFiles are the patterns of all the files of a saved run (path.Match).
func SavedFiles() []string {
	return []string{SavedRunFile, "*/*/" + scenarioFile, "*/*/trace-*.json"}
}

// SavedSchema is the version of run.json; a reader refuses any other.
const SavedSchema = "skleak-saved/1"

// maxSavedRun bounds run.json in bytes.
const maxSavedRun = 4 << 20

// savedRun is run.json.
type savedRun struct {
	Schema string `json:"schema"`
	// Planned are the scenarios that were to run, controls too; Without those
	// that left no trace because they were skipped or failed for our own trouble.
	Planned []string `json:"planned"`
	Without []string `json:"without,omitempty"`
	// Finished is set when the run had come to its end.
	Finished bool `json:"finished"`
}

// Options keeps in the folder what a run of these options measures.
func (s Saved) Options(o Options) Options {
	o.Save, o.Begin, o.End = s.Save, s.begin, s.end
	return o
}

// begin claims the folder. One that has traces is refused: those of two runs
// could not be told apart.
func (s Saved) begin(planned []string) error {
	for _, pattern := range []string{SavedRunFile, filepath.Join("*", "*", scenarioFile)} {
		found, err := fs.Glob(os.DirFS(s.Dir), pattern)
		if err != nil {
			return fmt.Errorf("look for traces in %s: %w", s.Dir, err)
		}
		if len(found) > 0 {
			return fmt.Errorf("%s has the traces of another run (%s); name another folder with --save, or delete it", s.Dir, found[0])
		}
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for traces: %w; name another with --save", err)
	}
	return s.write(savedRun{Planned: planned})
}

// end notes that the run came to its end.
func (s Saved) end(planned, without []string) error {
	return s.write(savedRun{Planned: planned, Without: without, Finished: true})
}

func (s Saved) write(r savedRun) error {
	r.Schema = SavedSchema
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode what the traces are of: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.Dir, SavedRunFile), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write what the traces are of: %w; make room, or name another folder with --save", err)
	}
	return nil
}

// Gap says what the folder lacks of the run it was made by; "" if nothing. have
// are the scenarios it holds.
func (s Saved) Gap(ctx context.Context, have []string) (gap string, err error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return "", fmt.Errorf("open the folder of traces: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	data, err := foreign.ReadIn(ctx, root, SavedRunFile, maxSavedRun)
	if errors.Is(err, fs.ErrNotExist) {
		return SavedRunFile + " is missing, which says what was to run; save the run again", nil
	}
	if err != nil {
		return "", err
	}
	var r savedRun
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&r); err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrSaved, filepath.Join(s.Dir, SavedRunFile), err)
	}
	if r.Schema != SavedSchema {
		return "", fmt.Errorf("%s: %w: %q, this skleak reads %q", filepath.Join(s.Dir, SavedRunFile), record.ErrVersion, r.Schema, SavedSchema)
	}
	return r.gap(have)
}

func (r savedRun) gap(have []string) (string, error) {
	for _, name := range have {
		if !slices.Contains(r.Planned, name) {
			return "", fmt.Errorf("%w: there is a trace of %s, which was not to run; save the run again", ErrSaved, name)
		}
	}
	var missing []string
	for _, name := range r.Planned {
		if !slices.Contains(have, name) && !slices.Contains(r.Without, name) {
			missing = append(missing, name)
		}
	}
	switch {
	case !r.Finished && len(missing) > 0:
		return "the run was interrupted; without a trace: " + record.JoinNames(missing), nil
	case !r.Finished:
		return "the run was interrupted, after the last trace", nil
	case len(missing) > 0:
		return "without a trace: " + record.JoinNames(missing), nil
	}
	return "", nil
}
