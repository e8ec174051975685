package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"skleak/campaign"
	"skleak/record"
	"skleak/reports"
	"skleak/reproducer"
	"skleak/scenarios"
)

// evidence gathers what a report rests on: the scenarios and the traces of their
// first tries. It is safe for use from several goroutines.
type evidence struct {
	mu        sync.Mutex
	traces    map[string]record.Trace
	scenarios map[string]scenarios.Scenario
	// untraced says that nobody wants the traces.
	untraced bool
}

func newEvidence(list []scenarios.Scenario) *evidence {
	e := &evidence{traces: map[string]record.Trace{}, scenarios: map[string]scenarios.Scenario{}}
	for _, sc := range list {
		e.scenarios[sc.Name] = sc
	}
	return e
}

// fromCatalogue is all that is known of a report without its traces.
func fromCatalogue() (*evidence, error) {
	all, err := scenarios.Catalogue()
	return newEvidence(all), err
}

// keeping makes a campaign hand over its traces, beside what it does with them.
func (e *evidence) keeping(o campaign.Options) campaign.Options {
	save := o.Save
	if e.untraced {
		return o
	}
	o.Save = func(sc scenarios.Scenario, attempt int, t record.Trace) error {
		// A report tells the first try.
		if attempt == 1 {
			e.mu.Lock()
			e.traces[traceKey(t.Kernel, sc.Name)] = t
			e.scenarios[sc.Name] = sc
			e.mu.Unlock()
		}
		if save == nil {
			return nil
		}
		return save(sc, attempt, t)
	}
	return o
}

func traceKey(k record.Kernel, scenario string) string { return k.Name() + "\x00" + scenario }

// give is the evidence as a format takes it.
func (e *evidence) give(redact *reports.Redactor, chosen bool) reports.Evidence {
	return reports.Evidence{
		Trace: func(k record.Kernel, scenario string) *record.Trace {
			e.mu.Lock()
			defer e.mu.Unlock()
			if t, ok := e.traces[traceKey(k, scenario)]; ok {
				return &t
			}
			return nil
		},
		Scenario: func(name string) string { return e.yaml(name) },
		Script:   func(name string) string { return e.script(name, redact) },
		Chosen:   chosen,
		Redact:   redact,
		By:       "skleak",
	}
}

func (e *evidence) scenario(name string) (scenarios.Scenario, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sc, ok := e.scenarios[name]
	return sc, ok
}

// yaml is a scenario as a file has it.
func (e *evidence) yaml(name string) string {
	sc, ok := e.scenario(name)
	if !ok {
		return ""
	}
	var b strings.Builder
	if err := scenarios.Encode(&b, []scenarios.Scenario{sc}); err != nil {
		return ""
	}
	return b.String()
}

// script is a reproducer of a scenario. What identifies a machine is replaced in
// the scenario, since the script has addresses in its packets' bytes and checksums too.
func (e *evidence) script(name string, redact *reports.Redactor) string {
	sc, ok := e.scenario(name)
	if !ok {
		return ""
	}
	if redact != nil {
		list, err := scenarios.Decode(name, strings.NewReader(redact.Text(e.yaml(name))))
		if err != nil || len(list) != 1 {
			return ""
		}
		sc = list[0]
	}
	text, err := reproducer.Script(sc)
	if err != nil {
		return fmt.Sprintf("# no script: %v\n", err)
	}
	return text
}

// savedReport judges the traces of a folder, or of the folders of several kernels
// in it, again.
func savedReport(ctx context.Context, dir string) (record.Report, *evidence, error) {
	rep := record.Report{Schema: record.ReportSchema}
	kept := newEvidence(nil)
	dirs, err := savedFolders(dir)
	if err != nil {
		return rep, nil, err
	}
	for _, one := range dirs {
		run, err := judgeFolder(ctx, campaign.Saved{Dir: one}, kept)
		if err != nil {
			return rep, nil, err
		}
		rep.Runs = append(rep.Runs, run)
	}
	return rep, kept, nil
}

// savedFolders are dir itself, or what `skleak matrix --save` made in it.
func savedFolders(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, "run.json")); err == nil {
		return []string{dir}, nil
	}
	found, err := fs.Glob(os.DirFS(dir), "*/run.json")
	if err != nil {
		return nil, fmt.Errorf("look for traces in %s: %w", dir, err)
	}
	if len(found) == 0 {
		return []string{dir}, nil
	}
	var dirs []string
	for _, f := range found {
		dirs = append(dirs, filepath.Join(dir, filepath.Dir(f)))
	}
	return dirs, nil
}

// judgeFolder judges the traces of one run.
func judgeFolder(ctx context.Context, saved campaign.Saved, kept *evidence) (record.Run, error) {
	all, err := saved.Scenarios(ctx)
	if err != nil {
		return record.Run{}, err
	}
	list, controls := campaign.Split(all)
	if err := asInCatalogue(controls); err != nil {
		return record.Run{}, err
	}
	o := kept.keeping(campaign.Options{AllowLasting: true})
	run, err := campaign.Run(ctx, saved.Replay(), list, controls, o)
	if err != nil {
		return record.Run{}, err
	}
	run.Trouble, err = saved.Gap(ctx, scenarioNames(all))
	return run, err
}

// redactor is what replaces names; nil where the format or the flag says so.
func (f outputFlags) redactor(format reports.Format) *reports.Redactor {
	redact := format.Redacted
	if f.given != nil && f.given.Changed("redact") {
		redact = f.redact
	}
	if !redact {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		return reports.NewRedactor()
	}
	return reports.NewRedactor(host)
}

// isFolder tells a folder of traces from a report.
func isFolder(name string) (bool, error) {
	info, err := os.Stat(name)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return false, fmt.Errorf("open %s: %w; want what `skleak run --json -o FILE` writes, or the folder of `skleak run --save`", name, err)
	}
	return info.IsDir(), nil
}
