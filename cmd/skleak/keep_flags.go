// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"skleak/campaign"
	"skleak/kernels"
)

// saveFlag is --save: the folder that keeps traces, "" for none.
type saveFlag struct{ dir string }

func (f *saveFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.dir, "save", "", "keep the traces in this folder, for `skleak judge`")
}

func (f *saveFlag) registerMany(fs *pflag.FlagSet) {
	fs.StringVar(&f.dir, "save", "", "keep the traces in this folder, a folder for each kernel in it")
}

// check makes the folder and sees that a file can be written there.
func (f saveFlag) check() error {
	if f.dir == "" {
		return nil
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for traces: %w; name another with --save", err)
	}
	file, err := os.CreateTemp(f.dir, ".skleak-*")
	if err != nil {
		return fmt.Errorf("write to the folder for traces: %w; name another with --save", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// options keep the traces of one kernel.
func (f saveFlag) options(o campaign.Options) campaign.Options {
	if f.dir != "" {
		o = campaign.Saved{Dir: f.dir}.Options(o)
	}
	return o
}

// below is the flag for one kernel of many; suffix tells several runs of it apart.
func (f saveFlag) below(kernel kernels.Name, suffix string) saveFlag {
	if f.dir == "" {
		return f
	}
	return saveFlag{filepath.Join(f.dir, fileName(string(kernel))+suffix)}
}

// registerStrict is --strict, of every command whose exit status is a report's.
func registerStrict(fs *pflag.FlagSet, strict *bool) {
	fs.BoolVar(strict, "strict", false, "a known defect that shows is a failure too")
}
