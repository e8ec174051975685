// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"skleak/internal/testkit"
	"skleak/record"
)

func written(t *testing.T, format string, rep record.Report, o Options) string {
	t.Helper()
	f, err := Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Print(&out, rep, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	several := sample()
	several.Runs = append(several.Runs,
		record.Run{Kernel: record.Kernel{Release: "6.1.192", Source: "debian/6.1"}, Trouble: "the guest never said hello"},
		record.Run{Kernel: record.Kernel{Release: "7.3.4", Source: "debian/7.3"}, Interrupted: true, Results: []record.Result{sampleHold()}},
		record.Run{Kernel: record.Kernel{Release: "5.10.262", Source: "debian/5.10"}, Results: []record.Result{
			{Scenario: "vlan/up", Status: record.Skip, Reason: "no vlan"},
		}},
	)
	for name, c := range map[string]struct {
		format string
		rep    record.Report
		o      Options
	}{
		"table.txt":         {"table", sample(), Options{Verbose: true}},
		"table-100.txt":     {"table", sample(), Options{Width: 100, Verbose: true}},
		"table-50.txt":      {"table", sample(), Options{Width: 50, Verbose: true}},
		"table-ascii.txt":   {"table", sample(), Options{ASCII: true, Width: 160, Verbose: true}},
		"table-colour.txt":  {"table", sample(), Options{Colour: true, Width: 160, Verbose: true}},
		"table-several.txt": {"table", several, Options{Width: 120, Verbose: true}},
		"answer.txt":        {"table", sample(), Options{}},
		"answer-80.txt":     {"table", several, Options{Width: 80}},
		"answer-quiet.txt":  {"table", several, Options{Quiet: true}},
		"report.json":       {"json", sample(), Options{}},
		"report.ktap":       {"ktap", sample(), Options{}},
		"several.ktap":      {"ktap", several, Options{}},
		"report.xml":        {"junit", sample(), Options{}},
		"several.xml":       {"junit", several, Options{}},
		"several.md":        {"markdown", several, Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := written(t, c.format, c.rep, c.o)
			testkit.Golden(t, filepath.Join("testdata", name), got)
		})
	}
}

func TestHostileTextIsHarmless(t *testing.T) {
	for _, f := range Formats() {
		if f.Binary {
			continue // read back by what reads such files, in tests of their own
		}
		for _, o := range []Options{{}, {ASCII: true}, {Width: 60}} {
			out := written(t, f.Name, hostile(), o)
			if f.Name == "json" {
				out = strings.NewReplacer("\u009b", "", "\u202e", "").Replace(out)
			}
			for i, r := range out {
				if r != '\n' && (!unicode.IsPrint(r) || o.ASCII && f.Name == "table" && r >= utf8.RuneSelf) {
					t.Errorf("%s %+v: %q at byte %d", f.Name, o, r, i)
				}
			}
		}
	}
}

func TestEmptyReports(t *testing.T) {
	for _, f := range Formats() {
		for _, rep := range []record.Report{{}, {Runs: []record.Run{{}}}} {
			if out := written(t, f.Name, rep, Options{}); f.Name != "table" && out == "" {
				t.Errorf("%s wrote nothing", f.Name)
			}
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteErrorIsTold(t *testing.T) {
	for _, f := range Formats() {
		if err := f.Write(fullDisk{}, sample(), Options{}); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: error %v", f.Name, err)
		}
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{
		"jsno":  `unknown report format "jsno" (did you mean json?): choose one of table, json, `,
		"TAP":   `unknown report format "TAP" (did you mean ktap?): choose one of table, json, `,
		"paper": `unknown report format "paper": choose one of table, json, `,
	} {
		if _, err := Lookup(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Lookup(%q) = %v, want %s", name, err, want)
		}
	}
}

func TestTableFitsItsWidth(t *testing.T) {
	for _, width := range []int{20, 40, 60, 80, 100, 132, 200} {
		for line := range strings.Lines(written(t, "table", sample(), Options{Width: width})) {
			table := strings.Contains(line, "│") || strings.Contains(line, "┼")
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); table && n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	in := sample()
	out := written(t, "json", in, Options{})
	back, err := record.ReadReport(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(filled(in), back); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"ladder", "witness", "sockets", "attempts", "refused", "results", "controls", "runs"} {
		if strings.Contains(out, `"`+key+`": null`) {
			t.Errorf("%s is null", key)
		}
	}
	if in.Runs[0].Results[0].Sockets != nil {
		t.Error("writing changed the report")
	}
}

// Nothing is wider than the reader's terminal, whatever that is, and at 80 columns
// verdict, held and holder are there.
func TestWidths(t *testing.T) {
	for width := 60; width <= 200; width++ {
		for _, verbose := range []bool{false, true} {
			got := written(t, "table", sample(), Options{Width: width, Verbose: verbose})
			for line := range strings.Lines(got) {
				if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d columns, verbose %v: %d: %s", width, verbose, n, line)
				}
			}
			for _, word := range []string{"verdict", "held", "holder"} {
				if width >= 80 && !verbose && !strings.Contains(got, word) {
					t.Errorf("%d columns, verbose %v: no %s", width, verbose, word)
				}
			}
		}
	}
}
