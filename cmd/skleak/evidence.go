// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"fmt"
	"os"
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
	mu     sync.Mutex
	traces map[string]record.Trace
	// saved are the folders of the traces that are read when they are wanted: all
	// traces of many kernels are more than a machine need have memory for.
	saved     map[string]campaign.Saved
	scenarios map[string]scenarios.Scenario
	// dir is the folder of the saved run; "" for none.
	dir string
	// untraced says that nobody wants the traces.
	untraced bool
}

func newEvidence(list []scenarios.Scenario) *evidence {
	e := &evidence{traces: map[string]record.Trace{}, saved: map[string]campaign.Saved{}, scenarios: map[string]scenarios.Scenario{}}
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

// locating makes a campaign that judges saved traces tell where they are.
func (e *evidence) locating(saved campaign.Saved, o campaign.Options) campaign.Options {
	o.Save = func(sc scenarios.Scenario, attempt int, t record.Trace) error {
		if attempt == 1 {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.saved[traceKey(t.Kernel, sc.Name)] = saved
			e.scenarios[sc.Name] = sc
		}
		return nil
	}
	return o
}

// trace is that of a result's first try; nil for none, or where it can no longer be
// read.
func (e *evidence) trace(k record.Kernel, scenario string) *record.Trace {
	key := traceKey(k, scenario)
	e.mu.Lock()
	t, kept := e.traces[key]
	saved, there := e.saved[key]
	e.mu.Unlock()
	if kept {
		return &t
	}
	if !there {
		return nil
	}
	t, err := saved.Trace(context.Background(), scenario, 1)
	if err != nil {
		return nil
	}
	return &t
}

func traceKey(k record.Kernel, scenario string) string { return k.Name() + "\x00" + scenario }

// give is the evidence as a format takes it.
func (e *evidence) give(redact *reports.Redactor, chosen bool) reports.Evidence {
	return reports.Evidence{
		Trace:    e.trace,
		Scenario: func(name string) string { return e.yaml(name) },
		Script:   func(name string) string { return e.script(name, redact) },
		Saved:    func(yield func(reports.File) error) error { return e.files(redact, yield) },
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
