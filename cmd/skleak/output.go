package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/google/renameio/v2"
	"github.com/spf13/pflag"

	"skleak/record"
	"skleak/reports"
)

// outputFlags say how and where a report is printed.
type outputFlags struct {
	json   bool
	format string
	file   string
}

func (f *outputFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.json, "json", false, "print the report as JSON (schema "+record.ReportSchema+")")
	fs.StringVar(&f.format, "format", "", "format of the report; `skleak list` names them (default table)")
	fs.StringVarP(&f.file, "output", "o", "", "write the report to this file")
}

// output is an opened place for a report.
type output struct {
	format  reports.Format
	options reports.Options
	out     io.Writer
	file    *renameio.PendingFile
}

// open checks format and place before anything is run.
func (f outputFlags) open(t terminal) (*output, error) {
	name := f.format
	switch {
	case f.json && name != "" && name != "json":
		return nil, fmt.Errorf("--json and --format %s: choose one", name)
	case f.json:
		name = "json"
	case name == "":
		name = "table"
	}
	format, err := reports.Lookup(name)
	if err != nil {
		return nil, err
	}
	o := &output{format: format, out: t.out, options: reports.Options{Width: t.outWidth, Colour: t.colour, ASCII: t.ascii}}
	if f.file == "" {
		return o, nil
	}
	o.options = reports.Options{ASCII: t.ascii}
	if info, err := os.Stat(f.file); err == nil && !info.Mode().IsRegular() {
		// A pipe or /dev/stdout cannot be replaced by a rename.
		dev, err := os.OpenFile(f.file, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("open %s for the report: %w; name another file with -o", f.file, err)
		}
		o.out = dev
		return o, nil
	}
	if o.file, err = renameio.NewPendingFile(f.file, renameio.WithPermissions(0o644)); err != nil {
		return nil, fmt.Errorf("open %s for the report: %w; name another file with -o", f.file, err)
	}
	o.out = o.file
	return o, nil
}

// write prints the report; a file appears whole or not at all.
func (o *output) write(rep record.Report) error {
	w := bufio.NewWriter(o.out)
	err := o.format.Write(w, rep, o.options)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if o.file != nil {
		if err := o.file.CloseAtomicallyReplace(); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// discard removes a file that was not written.
func (o *output) discard() {
	if o.file != nil {
		_ = o.file.Cleanup()
	}
}
