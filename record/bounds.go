// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of a report or a trace that may come from elsewhere. What is larger is
// refused before anything is made of it.
const (
	// MaxBytes is the longest trace or report, in bytes.
	MaxBytes = 64 << 20
	// maxDepth is how deep objects and lists may nest; a report nests eight deep.
	maxDepth = 32
	// maxObjects bounds the objects: an empty one of two bytes becomes a Result
	// of a thousand. The report of three hundred scenarios on a hundred kernels
	// has half of them.
	maxObjects = 1 << 20
	// maxValues bounds what stands in lists and objects, by their commas.
	maxValues = 8 << 20
	// maxShards bounds Shard.Of; maxCells the kernels times the scenarios.
	maxShards = 10000
	maxCells  = 1 << 20
)

// ErrBounds is in the error of a trace or report that is larger, deeper or
// has more in it than any that skleak writes.
var ErrBounds = errors.New("more than skleak ever writes")

// ErrForeign is in the error of what is no trace or report of skleak's.
var ErrForeign = errors.New("not what skleak writes")

// decodeWhole decodes r, which must hold one JSON value and nothing else.
func decodeWhole(r io.Reader, into any) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return err
	}
	if len(data) > MaxBytes {
		return fmt.Errorf("%w: over %d bytes", ErrBounds, MaxBytes)
	}
	if err := checkBounds(data); err != nil {
		return err
	}
	// NB: Unmarshal, unlike a Decoder, refuses what follows the value.
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w (it begins %q)", ErrForeign, err, head(data))
	}
	return nil
}

// checkBounds counts what nests and what is to be allocated.
func checkBounds(data []byte) error {
	depth, objects, values := 0, 0, 0
	inString, escaped := false, false
	for _, b := range data {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("%w: nested deeper than %d", ErrBounds, maxDepth)
			}
			if objects++; objects > maxObjects {
				return fmt.Errorf("%w: over %d objects and lists", ErrBounds, maxObjects)
			}
		case b == '}' || b == ']':
			depth--
		case b == ',':
			if values++; values > maxValues {
				return fmt.Errorf("%w: over %d values", ErrBounds, maxValues)
			}
		}
	}
	return nil
}

// check says what is wrong with a shard that no matrix gives.
func (s Shard) check() error {
	switch {
	case s.Of < 1 || s.Of > maxShards:
		return fmt.Errorf("%w: part of %d shards, want 1 to %d", ErrBounds, s.Of, maxShards)
	case s.Index < 1 || s.Index > s.Of:
		return fmt.Errorf("%w: there is no shard %d of %d", ErrForeign, s.Index, s.Of)
	case len(s.Kernels) == 0 || len(s.Scenarios) == 0:
		return fmt.Errorf("%w: shard %d/%d names no kernels or no scenarios", ErrForeign, s.Index, s.Of)
	case len(s.Kernels) > maxCells/len(s.Scenarios):
		return fmt.Errorf("%w: %d kernels by %d scenarios", ErrBounds, len(s.Kernels), len(s.Scenarios))
	}
	for _, names := range [][]string{s.Kernels, s.Scenarios} {
		if name, twice := repeated(names); twice {
			return fmt.Errorf("%w: shard %d/%d names %q twice", ErrForeign, s.Index, s.Of, name)
		}
	}
	return nil
}

func repeated(names []string) (string, bool) {
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		if i > 0 && sorted[i-1] == name {
			return name, true
		}
	}
	return "", false
}

// check refuses what ExitCode could not count.
func (r Report) check() error {
	if r.Shard != nil {
		if err := r.Shard.check(); err != nil {
			return err
		}
	}
	for i, run := range r.Runs {
		for _, res := range slices.Concat(run.Controls, run.Results) {
			if !slices.Contains(Statuses(), res.Status) {
				return fmt.Errorf("%w: runs[%d]: %q has the status %q; the statuses are %v", ErrForeign, i, res.Scenario, res.Status, Statuses())
			}
			if res.Verdict != "" && !res.Verdict.Valid() {
				return fmt.Errorf("%w: runs[%d]: %q has the verdict %q; the verdicts are %s", ErrForeign, i, res.Scenario, res.Verdict, JoinVerdicts(Verdicts()))
			}
		}
	}
	return nil
}
