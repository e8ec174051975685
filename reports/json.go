// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"skleak/record"
)

// writeJSON writes the report as record.ReadReport reads it. Lists and maps
// are never null, so that a reader need not ask; null is kept for what was not
// measured.
func writeJSON(w io.Writer, rep record.Report, _ Options) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(filled(rep)); err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	return nil
}

// filled is rep with empty lists for nil ones; rep itself is left alone.
func filled(rep record.Report) record.Report {
	out := rep
	out.Runs = make([]record.Run, len(rep.Runs))
	for i, run := range rep.Runs {
		run.Controls = filledResults(run.Controls)
		run.Results = filledResults(run.Results)
		out.Runs[i] = run
	}
	if rep.Shard != nil {
		shard := *rep.Shard
		shard.Kernels, shard.Scenarios = notNil(shard.Kernels), notNil(shard.Scenarios)
		out.Shard = &shard
	}
	return out
}

func filledResults(results []record.Result) []record.Result {
	out := make([]record.Result, len(results))
	for i, r := range results {
		r.Ladder = notNil(r.Ladder)
		r.Witness = notNil(r.Witness)
		r.Sockets = notNil(r.Sockets)
		r.Attempts = notNil(r.Attempts)
		if r.Refused == nil {
			r.Refused = map[string]int{}
		}
		out[i] = r
	}
	return out
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
