// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"skleak/record"
	"skleak/reports"
)

// truthFlags say how and where a truth table is printed.
type truthFlags struct {
	json   bool
	format string
	file   string
}

func (f *truthFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.StringVar(&f.format, "format", "table", "table, markdown or json")
	fs.StringVarP(&f.file, "output", "o", "", "write it to this file")
}

// open checks format and place before anything is run.
func (f *truthFlags) open(t terminal) (*output, error) {
	if f.json {
		f.format = "json"
	}
	if !slices.Contains([]string{"table", "markdown", "json"}, f.format) {
		return nil, fmt.Errorf("--format %s: want table, markdown or json", f.format)
	}
	o := &output{out: t.plain, file: f.file}
	if o.file == "" {
		return o, nil
	}
	return o, o.tryFile()
}

func (f *truthFlags) printer(rep record.TruthReport) func(io.Writer) error {
	switch f.format {
	case "json":
		return func(w io.Writer) error { return printJSON(w, rep) }
	case "markdown":
		return func(w io.Writer) error { return reports.TruthMarkdown(w, rep) }
	}
	return func(w io.Writer) error { return reports.TruthTable(w, rep) }
}
