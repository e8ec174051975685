// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"skleak/campaign"
	"skleak/record"
	"skleak/record/foreign"
	"skleak/reports"
)

// savedReport judges the traces of a folder, or of the folders of several kernels
// in it, again.
func savedReport(ctx context.Context, dir string) (record.Report, *evidence, error) {
	rep := record.Report{Schema: record.ReportSchema}
	kept := newEvidence(nil)
	kept.dir = dir
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
	if _, err := os.Stat(filepath.Join(dir, campaign.SavedRunFile)); err == nil {
		return []string{dir}, nil
	}
	found, err := fs.Glob(os.DirFS(dir), "*/"+campaign.SavedRunFile)
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
	o := kept.locating(saved, campaign.Options{AllowLasting: true})
	run, err := campaign.Run(ctx, saved.Replay(), list, controls, o)
	if err != nil {
		return record.Run{}, err
	}
	run.Trouble, err = saved.Gap(ctx, scenarioNames(all))
	return run, err
}

// unpacked unpacks a bundle for as long as its run is read. done deletes it.
func unpacked(ctx context.Context, name string) (dir string, done func(), err error) {
	tmp, err := os.MkdirTemp("", "skleak-bundle-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder to unpack %s in: %w; set TMPDIR to one that can be written", name, err)
	}
	done = func() { _ = os.RemoveAll(tmp) }
	if err := foreign.Unpack(ctx, name, tmp, reports.BundleFolder, reports.BundleSums); err != nil {
		done()
		return "", nil, err
	}
	dir = filepath.Join(tmp, reports.BundleRun)
	if _, err := os.Stat(dir); err != nil {
		done()
		return "", nil, fmt.Errorf("%s has no traces: it was made of a report alone; make it of the folder of skleak run --save", name)
	}
	return dir, done, nil
}

// judged judges what name is: a folder of traces or a bundle. done lets go of it
// when the report is printed.
func judged(ctx context.Context, name string) (rep record.Report, kept *evidence, done func(), err error) {
	dir, done := name, func() {}
	if foreign.IsBundle(name) {
		if dir, done, err = unpacked(ctx, name); err != nil {
			return rep, nil, nil, err
		}
	}
	if rep, kept, err = savedReport(ctx, dir); err != nil {
		done()
		return rep, nil, nil, err
	}
	return rep, kept, done, nil
}

// files gives every file of the saved run, without what identifies a machine if
// redact says so. Nothing else that lies in the folder is given.
func (e *evidence) files(redact *reports.Redactor, yield func(reports.File) error) error {
	if e.dir == "" {
		return nil
	}
	root, err := os.OpenRoot(e.dir)
	if err != nil {
		return fmt.Errorf("open the folder of traces: %w", err)
	}
	defer func() { _ = root.Close() }()
	var names []string
	for _, pattern := range campaign.SavedFiles() {
		for _, below := range []string{"", "*/"} {
			found, err := fs.Glob(root.FS(), below+pattern)
			if err != nil {
				return fmt.Errorf("look for traces in %s: %w", e.dir, err)
			}
			names = append(names, found...)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		data, err := foreign.ReadIn(context.Background(), root, name, record.MaxBytes)
		if err != nil {
			return err
		}
		if data, err = redacted(redact, name, data); err != nil {
			return err
		}
		if err := yield(reports.File{Name: name, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// redacted is a file of a saved run without what identifies a machine.
func redacted(redact *reports.Redactor, name string, data []byte) ([]byte, error) {
	if redact == nil {
		return data, nil
	}
	if strings.HasSuffix(path.Base(name), ".json") && path.Base(name) != campaign.SavedRunFile {
		t, err := record.ReadTrace(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i := range t.Sockets {
			for j, f := range t.Sockets[i].Forms {
				t.Sockets[i].Forms[j].Data = redact.Packet(f.Data, f.Ethernet)
			}
		}
		if data, err = json.MarshalIndent(t, "", " "); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return []byte(redact.Text(string(data))), nil
}

// keepFor is where a run keeps its traces: where --save says, or for a format that
// has them in it, a folder that is deleted when the report is written.
func (o *output) keepFor(save saveFlag) (saveFlag, error) {
	if save.dir == "" && o.format.Saved {
		tmp, err := os.MkdirTemp("", "skleak-traces-")
		if err != nil {
			return save, fmt.Errorf("make a folder for the traces: %w; name one with --save", err)
		}
		o.temporary, save.dir = tmp, tmp
	}
	o.saved = save.dir
	return save, nil
}

// isFolder tells a folder of traces from a report.
func isFolder(name string) (bool, error) {
	info, err := os.Stat(name)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return false, fmt.Errorf("open %s: %w; want what `skleak run --json -o FILE` writes, or the folder of `skleak run --save`, or a bundle", name, err)
	}
	return info.IsDir(), nil
}
