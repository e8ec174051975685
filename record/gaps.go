// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"fmt"
	"strings"
)

// Lacks names the keys without which a trace cannot be judged; none for a whole
// one.
func (t Trace) Lacks() []string {
	var lacks []string
	for _, key := range []struct {
		name  string
		there bool
	}{
		{"scenario", t.Scenario != ""},
		{"kernel.release", t.Kernel.Release != ""},
		{"sockets", len(t.Sockets) > 0},
	} {
		if !key.there {
			lacks = append(lacks, key.name)
		}
	}
	return lacks
}

// Gaps says, a line each, what a report lacks that it should have: the results
// of an interrupted run, a run without any. A part of a matrix may be empty.
func (r Report) Gaps() []string {
	var gaps []string
	if len(r.Runs) == 0 && !r.emptyShard() {
		gaps = append(gaps, "it has no runs")
	}
	for i, run := range r.Runs {
		name := run.Kernel.Name()
		switch {
		case name == "":
			gaps = append(gaps, fmt.Sprintf("runs[%d] names no kernel", i))
		case run.Interrupted && len(run.Missing) > 0:
			gaps = append(gaps, fmt.Sprintf("the run on %s was interrupted; without a result: %s", name, JoinNames(run.Missing)))
		case run.Interrupted:
			gaps = append(gaps, fmt.Sprintf("the run on %s was interrupted after %d results", name, len(run.Results)))
		case len(run.Results) == 0 && run.Trouble == "":
			gaps = append(gaps, fmt.Sprintf("the run on %s has no results", name))
		}
	}
	return gaps
}

// emptyShard tells whether r is a part of a matrix with more parts than work.
func (r Report) emptyShard() bool {
	if r.Shard == nil {
		return false
	}
	for k := range r.Shard.Kernels {
		for sc := range r.Shard.Scenarios {
			if r.Shard.Owns(k, sc) {
				return false
			}
		}
	}
	return true
}

// Name is what a reader calls the kernel: its name in the store, or the release
// of the machine's own; "" where neither is known.
func (k Kernel) Name() string {
	if k.Source == "" || k.Source == "host" {
		return k.Release
	}
	return k.Source
}

// JoinNames lists names for a message, the first ten of many.
func JoinNames(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
