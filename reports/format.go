// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"strings"

	"skleak/internal/spelling"
	"skleak/record"
)

// Format is one way to write a report.
type Format struct {
	// Name is what --format takes.
	Name string
	// About is one line for the list of formats.
	About string
	// Write writes the whole report. Its error is that of w, wrapped.
	Write func(w io.Writer, rep record.Report, o Options) error
	// File is its name in a bundle; "" if it is in none.
	File string
	// Traces says that it shows more where Options.Evidence has traces.
	Traces bool
	// Saved says that it has the files of the saved run in it.
	Saved bool
	// Binary says that it is no text, and redacts by itself.
	Binary bool
	// Commands says that it consists of what acts on a CI's log, which is made
	// harmless elsewhere.
	Commands bool
	// Redacted says that it goes to strangers: what identifies a machine is replaced
	// unless somebody asks for it.
	Redacted bool
}

// Print writes the whole report, redacted if the evidence has a Redactor.
func (f Format) Print(w io.Writer, rep record.Report, o Options) error {
	if o.Evidence.Redact == nil || f.Binary {
		return f.Write(w, rep, o)
	}
	var text strings.Builder
	if err := f.Write(&text, rep, o); err != nil {
		return err
	}
	if _, err := io.WriteString(w, o.Evidence.Redact.Text(text.String())); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Options say what the reader's end can show. Formats for programs ignore them.
type Options struct {
	// Width is in columns; 0 is unlimited.
	Width int
	// Colour allows ANSI colours. Whether NO_COLOR or a pipe forbids them is for
	// the caller to find out.
	Colour bool
	// Verbose shows a row for each result and what is behind it, Quiet a line for each
	// kernel; of the table alone.
	Verbose, Quiet bool
	// ASCII keeps to 7 bits, for a locale that is not UTF-8.
	ASCII bool
	// Evidence is what the report rests on.
	Evidence Evidence
}

// Formats lists every format, the default first.
func Formats() []Format {
	return []Format{
		{Name: "table", About: "for people: a line a scenario, then what is not as it should be", Write: writeTable, File: "report.txt"},
		{Name: "json", About: "for programs: schema " + record.ReportSchema + ", one object", Write: writeJSON, File: "report.json"},
		{Name: "ktap", About: "for kernel test machinery: KTAP version 1", Write: writeKTAP, File: "report.ktap"},
		{Name: "junit", About: "for CI servers: JUnit XML, a testsuite per kernel", Write: writeJUnit, File: "report.xml"},
		{Name: "markdown", About: "for documents: a table of scenarios by kernels", Write: writeMarkdown, File: "report.md"},
		{Name: "summary", About: "for a pull request or $GITHUB_STEP_SUMMARY: what is not as expected first, short", Write: writeSummary, File: "summary.md"},
		{Name: "annotations", About: "for the log of GitHub Actions: its commands ::error, ::warning and ::notice", Write: writeAnnotations, Commands: true},
		{Name: "html", About: "for a browser: one page without a script, with charts of what each result rests on", Write: writeHTML, File: "report.html", Traces: true},
		{Name: "svg", About: "for a paper or an issue: the charge over time, a chart for each scenario", Write: writeSVG, File: "charts.svg", Traces: true},
		{Name: "reproducer", About: "for who has no skleak: a shell script that shows one scenario", Write: writeReproducer, Redacted: true},
		{Name: "mail", About: "for netdev: plain text, all that a developer asks for, redacted", Write: writeMail, File: "mail.txt", Traces: true, Redacted: true},
		{Name: "pcapng", About: "for Wireshark: packets as sent, each with the charge after it, redacted", Write: writePcapng, File: "packets.pcapng", Traces: true, Binary: true, Redacted: true},
		{Name: "bundle", About: "for an archive or a colleague: a tar.zst of the traces and all of the above, redacted", Write: writeBundle, Traces: true, Saved: true, Binary: true, Redacted: true},
	}
}

// Lookup finds a format by name. The error names the formats there are, the
// likeliest first.
func Lookup(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	meant := ""
	if near := spelling.Nearest(name, names); len(near) > 0 {
		meant = " (did you mean " + near[0] + "?)"
	}
	return Format{}, fmt.Errorf("unknown report format %q%s: choose one of %s", name, meant, strings.Join(names, ", "))
}
