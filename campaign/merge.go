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
// missing shard should hold stands there as an error, never as passed; a shard
// given twice is refused.
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
		byIndex[s.Index] = rep
	}
	return byIndex, nil
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
	missing := map[int]bool{}
	for sc, name := range plan.Scenarios {
		if m.has(name) {
			continue
		}
		owner := plan.Owner(k, sc)
		if _, came := byIndex[owner]; !came {
			missing[owner] = true
			m.results = append(m.results, missingResult(name, fmt.Sprintf("shard %d/%d is missing", owner, plan.Of)))
		}
	}
	for i := 1; i <= plan.Of; i++ {
		if missing[i] {
			m.trouble(fmt.Sprintf("shard %d/%d is missing", i, plan.Of))
		}
	}
	return m.finish(plan.Scenarios)
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

func (m *merging) has(name string) bool {
	return slices.ContainsFunc(m.results, func(r record.Result) bool { return r.Scenario == name })
}

func (m *merging) add(part record.Run) {
	if m.run.Kernel.Release == "" {
		m.run.Kernel = part.Kernel
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
	for _, name := range order {
		for _, r := range m.results {
			if r.Scenario == name {
				m.run.Results = append(m.run.Results, r)
				break
			}
		}
	}
	return m.run
}
