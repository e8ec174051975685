// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"skleak/record"
)

// keys gathers the JSON keys of t and of what it contains.
func keys(t reflect.Type, seen map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		seen[name] = true
		keys(f.Type, seen)
	}
}

func document(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryKeyIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	keys(reflect.TypeFor[record.Report](), seen)
	if len(seen) < 60 || seen[""] {
		t.Fatalf("found %d keys: %v", len(seen), seen)
	}
	doc := document(t, "../docs/report.md") + document(t, "../docs/report-objects.md")
	for key := range seen {
		if !strings.Contains(doc, "`"+key+"`") {
			t.Errorf("docs/report.md and report-objects.md lack %s", key)
		}
	}
}

func TestEveryVerdictAndStatusIsDescribed(t *testing.T) {
	readme := document(t, "../README.md")
	for _, v := range record.Verdicts() {
		if !strings.Contains(readme, "| `"+string(v)+"` |") {
			t.Errorf("README.md lacks verdict %s", v)
		}
	}
	for _, s := range record.Statuses() {
		if !strings.Contains(readme, "| `"+string(s)+"` |") {
			t.Errorf("README.md lacks status %s", s)
		}
	}
}

func TestEveryPhaseIsDescribed(t *testing.T) {
	doc := document(t, "../docs/experiment.md")
	for _, phase := range []string{
		record.PhaseBuild, record.PhaseCalibrate, record.PhaseTraffic, record.PhaseSettle, record.PhasePatience,
		record.PhaseRefill, record.PhaseLadder, record.PhaseLaw, record.PhaseClose,
	} {
		if !strings.Contains(doc, "| "+phase+" |") {
			t.Errorf("docs/experiment.md lacks phase %s", phase)
		}
	}
}
