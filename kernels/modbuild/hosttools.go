// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"skleak/kernels"
)

// libraries is the folder in a tree with the C library and others of the
// kernel's own suite, where this machine's do not do.
const libraries = "libraries"

// libraryFolders are where Debian's amd64 packages put libraries.
func libraryFolders(dir string) []string {
	return []string{
		filepath.Join(dir, "lib/x86_64-linux-gnu"),
		filepath.Join(dir, "usr/lib/x86_64-linux-gnu"),
	}
}

// unpackKbuild unpacks the build's programs and gives their folder relative to
// the tree's root. They are linked against libraries of their suite, which may
// be newer than this machine's: those that do not start here are made to start
// by their own suite's.
func (b *Builder) unpackKbuild(ctx context.Context, kbuild kernels.Package, tmp string, t tree, say func(string)) (string, error) {
	root, debs := filepath.Join(tmp, "root"), filepath.Join(tmp, "deb")
	files, err := b.Store.Download(ctx, debs, []kernels.Package{kbuild})
	if err != nil {
		return "", err
	}
	if err := (command{argv: []string{"dpkg-deb", "-x", files[0], root}}).run(ctx); err != nil {
		return "", err
	}
	dir := filepath.Join("usr/lib", kbuild.Name)
	stuck, err := stuckPrograms(ctx, filepath.Join(root, dir))
	if err != nil || len(stuck) == 0 {
		return dir, err
	}
	say("download libraries for the build's programs")
	if err := b.unpackLibraries(ctx, kbuild, debs, filepath.Join(tmp, libraries)); err != nil {
		return "", err
	}
	for _, program := range stuck {
		if err := wrap(ctx, program, filepath.Join(tmp, libraries), filepath.Join(t.dir, libraries)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// unpackLibraries unpacks all that kbuild depends on into dir.
func (b *Builder) unpackLibraries(ctx context.Context, kbuild kernels.Package, debs, dir string) error {
	needed, err := b.Store.Dependencies(ctx, kbuild)
	if err != nil {
		return err
	}
	files, err := b.Store.Download(ctx, debs, needed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := (command{argv: []string{"dpkg-deb", "-x", file, dir}}).run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stuckPrograms gives the programs below dir that cannot be started here.
func stuckPrograms(ctx context.Context, dir string) ([]string, error) {
	var stuck []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		program, err := isProgram(file)
		if err != nil || !program {
			return err
		}
		err = starts(ctx, "ldd", file)
		if errors.Is(err, errNoLibrary) {
			stuck = append(stuck, file)
			return nil
		}
		return err
	})
	return stuck, err
}

// isProgram says whether a file can be executed and is ELF.
func isProgram(file string) (program bool, err error) {
	info, err := os.Stat(file)
	if err != nil || info.Mode()&0o111 == 0 {
		return false, err
	}
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	magic := make([]byte, 4)
	_, err = io.ReadFull(f, magic)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return bytes.Equal(magic, []byte("\x7fELF")), errors.Join(err, f.Close())
}

// errNoLibrary says that a program's libraries are missing or too old.
var errNoLibrary = errors.New("libraries are missing or too old")

// starts asks a dynamic loader whether it finds all that a program needs; argv
// ends with the program. NB: ldd ends with 0 even where a library's version is
// not found.
func starts(ctx context.Context, argv ...string) error {
	var out strings.Builder
	err := command{argv: argv, out: &out, messages: &out}.run(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if strings.Contains(out.String(), "not found") {
		return fmt.Errorf("%s: %w: %s", argv[len(argv)-1], errNoLibrary, tail(strings.TrimSpace(out.String())))
	}
	return err
}

// wrap puts a script in the place of a program that starts it with the
// libraries of now, which will be in the folder of later.
func wrap(ctx context.Context, program, now, later string) error {
	var loader string
	for _, dir := range libraryFolders("") {
		if _, err := os.Stat(filepath.Join(now, dir, "ld-linux-x86-64.so.2")); err == nil {
			loader = filepath.Join(dir, "ld-linux-x86-64.so.2")
		}
	}
	if loader == "" {
		return fmt.Errorf("no dynamic loader in %s: %w", now, fs.ErrNotExist)
	}
	path := strings.Join(libraryFolders(now), ":")
	if err := starts(ctx, filepath.Join(now, loader), "--library-path", path, "--list", program); err != nil {
		return err
	}
	if err := os.Rename(program, program+".elf"); err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s --library-path %s --argv0 \"$0\" \"$0.elf\" \"$@\"\n",
		shellescape.Quote(filepath.Join(later, loader)), shellescape.Quote(strings.Join(libraryFolders(later), ":")))
	return os.WriteFile(program, []byte(script), 0o755)
}
