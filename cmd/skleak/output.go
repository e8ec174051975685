// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
	"github.com/spf13/pflag"

	"skleak/campaign"
	"skleak/record"
	"skleak/reports"
	"skleak/scenarios"
)

// outputFlags say how and where a report is printed.
type outputFlags struct {
	json   bool
	format string
	file   string
	redact bool
	// verbose and quiet are of the table.
	verbose, quiet bool
	// given tells a flag from its default.
	given *pflag.FlagSet
}

func (f *outputFlags) register(fs *pflag.FlagSet) {
	f.given = fs
	fs.BoolVar(&f.redact, "redact", false, "replace addresses, hardware addresses and host names (default for mail; --redact=false leaves them)")
	fs.BoolVar(&f.json, "json", false, "print the report as JSON (schema "+record.ReportSchema+")")
	fs.StringVar(&f.format, "format", "", "format of the report; `skleak list` names them (default table)")
	fs.StringVarP(&f.file, "output", "o", "", "write the report to this file")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "a row for each result, and what is behind it")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "one line for each kernel")
}

// output is a place for a report that was found writable.
type output struct {
	format  reports.Format
	options reports.Options
	out     io.Writer
	// file is the name of a file to write instead of out, "" for none.
	file string
	// redact is nil where nothing is to be replaced.
	redact *reports.Redactor
	// saved is the folder of the run's traces, "" for none; temporary the same if
	// it is to be deleted.
	saved, temporary string
	// special is that file if it is a pipe, a device or a link to something.
	special *os.File
}

// open checks format and place before anything is run.
func (f outputFlags) open(t terminal) (*output, error) {
	name := f.format
	switch {
	case f.verbose && f.quiet:
		return nil, errors.New("--verbose and --quiet: choose one")
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
	o := &output{format: format, out: t.plain, file: f.file, redact: f.redactor(format)}
	if o.file == "" {
		if format.Binary && t.outWidth > 0 {
			return nil, fmt.Errorf("--format %s is not for a terminal: write it to a file with -o", name)
		}
		o.options = reports.Options{Width: t.outWidth, Colour: t.colour, ASCII: t.ascii, Verbose: f.verbose, Quiet: f.quiet}
		return o, nil
	}
	o.options = reports.Options{ASCII: t.ascii, Verbose: f.verbose, Quiet: f.quiet}
	return o, o.tryFile()
}

// tryFile sees whether the file can be written. An ordinary one is made only
// at the end, so that a killed run leaves none half done.
func (o *output) tryFile() error {
	// NB: Lstat, since a rename over /dev/stdout would replace that link for everybody.
	if info, err := os.Lstat(o.file); err == nil && !info.Mode().IsRegular() {
		if o.special, err = os.OpenFile(o.file, os.O_WRONLY, 0); err != nil {
			return o.explain("open", err)
		}
		return nil
	}
	pending, err := renameio.NewPendingFile(o.file)
	if err != nil {
		return o.explain("open", err)
	}
	return pending.Cleanup()
}

// explain leaves out the name of the temporary file that an error has.
func (o *output) explain(what string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s %s for the report: %w; name another file with -o", what, o.file, err)
}

// write prints the report; an ordinary file appears whole or not at all.
func (o *output) write(rep record.Report) error {
	return o.put(func(w io.Writer) error { return o.format.Print(w, rep, o.options) })
}

// evidence keeps what a run leaves for the report: the scenarios, and the traces
// where the format shows them. chosen says that scenarios were named.
func (o *output) evidence(list []scenarios.Scenario, chosen bool) *evidence {
	e := newEvidence(list)
	e.untraced, e.dir = !o.format.Traces, o.saved
	o.rest(e, chosen)
	return e
}

// watch makes a campaign leave evidence.
func (o *output) watch(c campaign.Options, list []scenarios.Scenario, chosen bool) campaign.Options {
	return o.evidence(list, chosen).keeping(c)
}

// rest is what the report rests on; chosen says that its results were asked for by
// name.
func (o *output) rest(e *evidence, chosen bool) {
	o.options.Evidence = e.give(o.redact, chosen)
}

// put prints what is no report of runs as write prints one.
func (o *output) put(text func(io.Writer) error) error {
	if o.file == "" {
		if err := o.printed(o.out, text); err != nil {
			return fmt.Errorf("print the report: %w; write it to a file with -o", err)
		}
		return nil
	}
	write := o.replace
	if o.special != nil {
		write = o.overwrite
	}
	if err := write(text); err != nil {
		return o.explain("write", err)
	}
	return nil
}

func (o *output) replace(text func(io.Writer) error) (err error) {
	pending, err := renameio.NewPendingFile(o.file, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pending.Cleanup()) }()
	if err := o.printed(pending, text); err != nil {
		return err
	}
	return pending.CloseAtomicallyReplace()
}

func (o *output) overwrite(text func(io.Writer) error) error {
	if info, err := o.special.Stat(); err == nil && info.Mode().IsRegular() {
		if err := o.special.Truncate(0); err != nil {
			return err
		}
	}
	return o.printed(o.special, text)
}

// discard lets go of what open opened and keepFor made.
func (o *output) discard() {
	if o.temporary != "" {
		_ = os.RemoveAll(o.temporary)
	}
	if o.special != nil {
		_ = o.special.Close()
	}
}

// printed lets nothing pass that a terminal or a log would act upon, but for the
// report's own colours.
func (o *output) printed(to io.Writer, text func(io.Writer) error) error {
	if o.format.Binary || o.format.Commands {
		w := bufio.NewWriter(to)
		return errors.Join(text(w), w.Flush())
	}
	safe := reports.NewHarmlessWriter(to, o.options.Colour)
	w := bufio.NewWriter(safe)
	if err := text(w); err != nil {
		return err
	}
	return errors.Join(w.Flush(), safe.Flush())
}
