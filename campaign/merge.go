// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"errors"
	"fmt"
	"slices"

	"skleak/record"
)

// ErrShards is in the error of reports that are not shards of one matrix.
var ErrShards = errors.New("not shards of one matrix")

// Merge joins the shards of a matrix into the report of the whole. What a
// missing or interrupted shard should hold stands there as an error, never as
// passed. A shard given twice is refused, and one with results that are not its
// share.
func Merge(reports []record.Report) (record.Report, error) {
	byIndex, err := shardsOf(reports)
	if err != nil {
		return record.Report{}, err
	}
	plan := *reports[0].Shard
	whole := record.Report{Schema: record.ReportSchema, Runs: []record.Run{}}
	for k := range plan.Kernels {
		whole.Runs = append(whole.Runs, mergeKernel(plan, k, byIndex))
	}
	return whole, nil
}

// shardsOf sorts reports by the number of their shard.
func shardsOf(reports []record.Report) (map[int]record.Report, error) {
	if len(reports) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrShards)
	}
	byIndex := map[int]record.Report{}
	for _, rep := range reports {
		s := rep.Shard
		if s == nil {
			return nil, fmt.Errorf("%w: a report without a shard; `skleak matrix --shard` makes them", ErrShards)
		}
		first := reports[0].Shard
		if s.Of != first.Of || !slices.Equal(s.Kernels, first.Kernels) || !slices.Equal(s.Scenarios, first.Scenarios) {
			return nil, fmt.Errorf("%w: shard %d/%d and shard %d/%d are of other kernels or scenarios", ErrShards, first.Index, first.Of, s.Index, s.Of)
		}
		if s.Index < 1 || s.Index > s.Of {
			return nil, fmt.Errorf("%w: there is no shard %d of %d", ErrShards, s.Index, s.Of)
		}
		if _, twice := byIndex[s.Index]; twice {
			return nil, fmt.Errorf("%w: shard %d/%d is there twice", ErrShards, s.Index, s.Of)
		}
		if err := holdsItsShare(*s, rep.Runs); err != nil {
			return nil, err
		}
		byIndex[s.Index] = rep
	}
	return byIndex, nil
}

// holdsItsShare refuses results that would vanish, or stand for another's.
func holdsItsShare(s record.Shard, runs []record.Run) error {
	kernels, scenarios := numbered(s.Kernels), numbered(s.Scenarios)
	seen := map[string]bool{}
	for _, run := range runs {
		k, planned := kernels[run.Kernel.Source]
		if !planned {
			return fmt.Errorf("%w: shard %d/%d has results of kernel %q, which the matrix does not have", ErrShards, s.Index, s.Of, run.Kernel.Source)
		}
		if seen[run.Kernel.Source] {
			return fmt.Errorf("%w: shard %d/%d has kernel %s twice", ErrShards, s.Index, s.Of, run.Kernel.Source)
		}
		seen[run.Kernel.Source] = true
		had := map[string]bool{}
		for _, res := range run.Results {
			sc, planned := scenarios[res.Scenario]
			if !planned || !s.Owns(k, sc) {
				return fmt.Errorf("%w: shard %d/%d has a result of %q on %s, which is not its share", ErrShards, s.Index, s.Of, res.Scenario, run.Kernel.Source)
			}
			if had[res.Scenario] {
				return fmt.Errorf("%w: shard %d/%d has %s on %s twice", ErrShards, s.Index, s.Of, res.Scenario, run.Kernel.Source)
			}
			had[res.Scenario] = true
		}
	}
	return nil
}

func numbered(names []string) map[string]int {
	numbers := map[string]int{}
	for i, name := range names {
		numbers[name] = i
	}
	return numbers
}

// mergeKernel joins the parts of one kernel's run.
func mergeKernel(plan record.Shard, k int, byIndex map[int]record.Report) record.Run {
	m := &merging{run: record.Run{
		Kernel: record.Kernel{Source: plan.Kernels[k]}, Controls: []record.Result{}, Results: []record.Result{},
	}}
	for i := 1; i <= plan.Of; i++ {
		for _, part := range byIndex[i].Runs {
			if part.Kernel.Source == plan.Kernels[k] {
				m.add(part)
			}
		}
	}
	m.fill(plan, k, byIndex)
	return m.finish(plan.Scenarios)
}

// fill puts an error where a scenario has no result, and says once for each
// shard why. A shard whose run had trouble of its own has said so.
func (m *merging) fill(plan record.Shard, k int, byIndex map[int]record.Report) {
	has := map[string]bool{}
	for _, r := range m.results {
		has[r.Scenario] = true
	}
	lost := map[int][]string{}
	why := map[int]string{}
	for sc, name := range plan.Scenarios {
		owner := plan.Owner(k, sc)
		if _, asked := why[owner]; !asked {
			why[owner] = whyMissing(byIndex, owner, plan, k)
		}
		if has[name] || why[owner] == "" {
			continue
		}
		lost[owner] = append(lost[owner], name)
		m.results = append(m.results, missingResult(name, why[owner]))
	}
	for i := 1; i <= plan.Of; i++ {
		if len(lost[i]) > 0 {
			m.trouble(fmt.Sprintf("%s: %s", why[i], record.JoinNames(lost[i])))
		}
	}
}

// whyMissing says why shard i lacks results of kernel number k; "" where its
// run tells of trouble.
func whyMissing(byIndex map[int]record.Report, i int, plan record.Shard, k int) string {
	rep, came := byIndex[i]
	if !came {
		return fmt.Sprintf("shard %d/%d is missing", i, plan.Of)
	}
	for _, run := range rep.Runs {
		switch {
		case run.Kernel.Source != plan.Kernels[k]:
		case run.Trouble != "":
			return ""
		case run.Interrupted:
			return fmt.Sprintf("shard %d/%d was interrupted", i, plan.Of)
		}
	}
	return fmt.Sprintf("shard %d/%d came without its share", i, plan.Of)
}

func missingResult(scenario, why string) record.Result {
	return record.Result{
		Scenario: scenario, Status: record.Error, Refused: map[string]int{}, Ladder: []record.LadderStep{},
		Witness: []record.Witness{}, Sockets: []record.SocketResult{}, Orphans: "not checked", Reason: why,
		Attempts: []record.Attempt{{Status: record.Error, Reason: why}},
	}
}

// merging is a run being put together.
type merging struct {
	run     record.Run
	results []record.Result
}

func (m *merging) add(part record.Run) {
	was, is := m.run.Kernel, part.Kernel
	switch {
	case was.Release == "":
		m.run.Kernel = is
	case is.Release != "" && (is.Release != was.Release || is.Version != was.Version):
		m.trouble(fmt.Sprintf("its shards ran different kernels: %s (%s) and %s (%s)", was.Release, was.Version, is.Release, is.Version))
	}
	m.results = append(m.results, part.Results...)
	for _, c := range part.Controls {
		i := slices.IndexFunc(m.run.Controls, func(r record.Result) bool { return r.Scenario == c.Scenario })
		switch {
		case i < 0:
			m.run.Controls = append(m.run.Controls, c)
		case c.Status != record.Pass:
			// One part's broken control is not outdone by another's sound one.
			m.run.Controls[i] = c
		}
	}
	m.run.Interrupted = m.run.Interrupted || part.Interrupted
	m.run.Missing = append(m.run.Missing, part.Missing...)
	m.run.Crashes = append(m.run.Crashes, part.Crashes...)
	m.run.Seconds += part.Seconds
	for _, note := range part.Notes {
		if !slices.Contains(m.run.Notes, note) {
			m.run.Notes = append(m.run.Notes, note)
		}
	}
	if part.Trouble != "" {
		m.trouble(part.Trouble)
	}
}

func (m *merging) trouble(text string) {
	if m.run.Trouble != "" {
		m.run.Trouble += "; "
	}
	m.run.Trouble += text
}

// finish puts the results into the order of the whole.
func (m *merging) finish(order []string) record.Run {
	place := numbered(order)
	m.run.Results = append(m.run.Results, m.results...)
	slices.SortStableFunc(m.run.Results, func(a, b record.Result) int { return place[a.Scenario] - place[b.Scenario] })
	return m.run
}
