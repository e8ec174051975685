// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"skleak/kernels"
)

// tree is what the modules of one kernel are built with, in a folder of its
// own:
//
//	source/               drivers/net and net of the kernel's source
//	root/usr/src/…        the headers, set up so that they build from here
//	root/usr/lib/…        kbuild's programs
//	libraries/            what those need, if this machine's will not do
type tree struct {
	dir string
	// headers is where make is run.
	headers string
	// compiler is the C compiler's name.
	compiler string
}

func (t tree) source(file string) string { return filepath.Join(t.dir, "source", file) }

// lockRetry is how often a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// prepare gives the tree of a kernel; it is fetched and unpacked once.
func (b *Builder) prepare(ctx context.Context, k *kernels.Kernel, say func(string)) (t tree, err error) {
	if len(k.Packages) == 0 {
		return tree{}, fmt.Errorf("kernel %s: only Debian's kernels can take a mutant: theirs have source and headers packages", k.Name)
	}
	t.dir = filepath.Join(b.dir(), k.Release+"_"+k.Packages[0].Version)
	t.headers = filepath.Join(t.dir, "root/usr/src/linux-headers-"+k.Release)
	if err := os.MkdirAll(b.dir(), 0o755); err != nil {
		return tree{}, fmt.Errorf("make the folder of patched modules: %w", err)
	}
	l := flock.New(t.dir + ".lock")
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return tree{}, fmt.Errorf("lock the headers of %s: %w", k.Release, err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if _, err := os.Stat(t.dir); errors.Is(err, fs.ErrNotExist) {
		if err := b.fetchTree(ctx, k, t, say); err != nil {
			return tree{}, fmt.Errorf("source and headers of kernel %s: %w", k.Name, err)
		}
	}
	t.compiler, err = compilerOf(t.headers)
	return t, err
}

// fetchTree fills a folder beside the tree's and puts it there by one rename.
func (b *Builder) fetchTree(ctx context.Context, k *kernels.Kernel, t tree, say func(string)) (err error) {
	tmp := t.dir + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	root, source, debs := filepath.Join(tmp, "root"), filepath.Join(tmp, "source"), filepath.Join(tmp, "deb")
	for _, dir := range []string{root, source, debs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	p, err := findPackages(ctx, b.Store, k)
	if err != nil {
		return err
	}
	say("download source and headers")
	files, err := b.Store.Download(ctx, debs, append(slices.Clone(p.headers), p.source))
	if err != nil {
		return err
	}
	say("unpack source and headers")
	for _, file := range files[:len(p.headers)] {
		if err := (command{argv: []string{"dpkg-deb", "-x", file, root}}).run(ctx); err != nil {
			return err
		}
	}
	if err := unpackSource(ctx, files[len(p.headers)], source); err != nil {
		return err
	}
	kbuild, err := b.unpackKbuild(ctx, p.kbuild, tmp, t, say)
	if err != nil {
		return err
	}
	if err := setUp(root, t, kbuild); err != nil {
		return err
	}
	if err := os.RemoveAll(debs); err != nil {
		return err
	}
	return os.Rename(tmp, t.dir)
}

// setUp makes the headers build from where they are: their Makefile names an
// absolute path, their links the kbuild of their own suite.
func setUp(root string, t tree, kbuild string) error {
	src := filepath.Join(root, "usr/src")
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		dir := filepath.Join(src, entry.Name())
		if !strings.HasPrefix(entry.Name(), "linux-headers-") {
			continue
		}
		for _, name := range []string{"scripts", "tools"} {
			if err := relink(filepath.Join("../../..", kbuild, name), filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	common, err := filepath.Glob(filepath.Join(src, "linux-headers-*-common"))
	if err != nil || len(common) != 1 {
		return fmt.Errorf("%d folders of common headers: %w", len(common), err)
	}
	// Headers of trace events name private headers by their place in the source.
	for _, name := range []string{"net", "drivers"} {
		if err := relink(filepath.Join("../../../../source", name), filepath.Join(common[0], name)); err != nil {
			return err
		}
	}
	headers := filepath.Join(src, filepath.Base(t.headers))
	line := "include " + filepath.Join(t.dir, "root/usr/src", filepath.Base(common[0]), "Makefile") + "\n"
	if err := os.WriteFile(filepath.Join(headers, "Makefile"), []byte(line), 0o644); err != nil {
		return err
	}
	return withoutDebug(filepath.Join(headers, "include/config/auto.conf"))
}

func relink(to, at string) error {
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(to, at)
}

// withoutDebug takes out what make does for debuggers: it halves the time, and
// spares pahole. The C code goes by autoconf.h, which stays, so that no
// structure changes.
func withoutDebug(conf string) error {
	data, err := os.ReadFile(conf)
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "CONFIG_DEBUG_INFO") {
			kept = append(kept, line)
		}
	}
	return os.WriteFile(conf, []byte(strings.Join(kept, "")), 0o644)
}
