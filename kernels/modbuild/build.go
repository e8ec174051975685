// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"skleak/kernels"
	"skleak/mutants"
)

// ErrNothingChanged says that a mutant's patch does not apply.
var ErrNothingChanged = errors.New("the semantic patch changes nothing")

// Builder builds mutants of the kernels of a store.
type Builder struct{ Store *kernels.Store }

func (b *Builder) dir() string { return filepath.Join(b.Store.Dir(), "modbuild") }

// Built is a module with a bug put in.
type Built struct {
	// File is the .ko.
	File string
	// Diff is what the patch came to in the source, as diff -u shows it.
	Diff string
	// Cached says that it was built before.
	Cached bool
}

// Kernel builds m for k, and gives k with that module replaced, under the name
// NAME+MUTANT. say is told of steps that take a while; nil for nobody.
func (b *Builder) Kernel(ctx context.Context, k *kernels.Kernel, m mutants.Mutant, say func(string)) (*kernels.Kernel, error) {
	built, err := b.Build(ctx, k, m, say)
	if err != nil {
		return nil, err
	}
	return k.WithModule(k.Name.With(m.Name), m.Module, built.File)
}

// Build gives the module of m for k. The same patch for the same kernel by the
// same compiler is built once. A patch that changes nothing is
// ErrNothingChanged, a program that is missing ErrNoTool.
func (b *Builder) Build(ctx context.Context, k *kernels.Kernel, m mutants.Mutant, say func(string)) (Built, error) {
	if say == nil {
		say = func(string) {}
	}
	built, err := b.build(ctx, k, m, say)
	if err != nil {
		return Built{}, fmt.Errorf("build mutant %s for kernel %s: %w", m.Name, k.Name, err)
	}
	return built, nil
}

func (b *Builder) build(ctx context.Context, k *kernels.Kernel, m mutants.Mutant, say func(string)) (built Built, err error) {
	t, err := b.prepare(ctx, k, say)
	if err != nil {
		return Built{}, err
	}
	key, err := t.key(ctx, m)
	if err != nil {
		return Built{}, err
	}
	dir := filepath.Join(b.dir(), "built", key)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Built{}, err
	}
	l := flock.New(dir + ".lock")
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return Built{}, fmt.Errorf("lock its folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(l.Path()), l.Close()) }()
	built = Built{File: filepath.Join(dir, m.Module+".ko")}
	diff, err := os.ReadFile(filepath.Join(dir, "diff"))
	if err == nil {
		built.Diff, built.Cached = string(diff), true
		return built, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Built{}, err
	}
	say("build mutant " + m.Name)
	built.Diff, err = t.make(ctx, m, dir)
	return built, err
}

// recipe counts the ways modules have been built; another one is another key.
const recipe = "1"

// key is a checksum of all that goes into the module.
func (t tree) key(ctx context.Context, m mutants.Mutant) (string, error) {
	compiler, err := compilerVersion(ctx, t.compiler)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range []string{recipe, filepath.Base(t.dir), compiler, strings.Join(m.File, " "), m.Module, m.Patch} {
		fmt.Fprintf(h, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// make patches and builds beside dir, and puts module and diff there.
func (t tree) make(ctx context.Context, m mutants.Mutant, dir string) (diff string, err error) {
	file, err := t.find(m)
	if err != nil {
		return "", err
	}
	work := dir + ".tmp"
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	from := t.source(path.Dir(file))
	if err := linkFolder(from, work); err != nil {
		return "", err
	}
	if diff, err = patch(ctx, m, t.source(file), filepath.Join(work, path.Base(file))); err != nil {
		return "", err
	}
	if err := t.kbuild(ctx, m, from, work); err != nil {
		return "", err
	}
	done := filepath.Join(work, "done")
	if err := os.Mkdir(done, 0o755); err != nil {
		return "", err
	}
	ko := m.Module + ".ko"
	if err := os.Rename(filepath.Join(work, ko), filepath.Join(done, ko)); err != nil {
		return "", fmt.Errorf("kbuild made no such module: %w", err)
	}
	if err := os.WriteFile(filepath.Join(done, "diff"), []byte(diff), 0o644); err != nil {
		return "", err
	}
	return diff, os.Rename(done, dir)
}

// find gives the first of the mutant's files that this version has.
func (t tree) find(m mutants.Mutant) (string, error) {
	for _, file := range m.File {
		if _, err := os.Stat(t.source(file)); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("its source has no %s", strings.Join(m.File, " nor "))
}

// kbuild builds the one module of the folder's Makefile. obj-y and obj-m are
// set anew after it, so of all it lists only the parts of this module count.
// from is where the source stands; headers of its neighbours are included by
// their way from there.
func (t tree) kbuild(ctx context.Context, m mutants.Mutant, from, work string) error {
	text := "include $(src)/Makefile\nobj-y :=\nobj-m := " + m.Module + ".o\nccflags-y += -iquote " + from + "\n"
	if err := os.WriteFile(filepath.Join(work, "Kbuild"), []byte(text), 0o644); err != nil {
		return err
	}
	off, err := missingOptions(ctx, t.compiler)
	if err != nil {
		return err
	}
	argv := append([]string{"make", "-s", "-C", t.headers, "M=" + work, "CC=" + t.compiler, "modules"}, off...)
	if err := (command{argv: argv}).run(ctx); err != nil {
		return fmt.Errorf("build with the kernel's kbuild: %w", err)
	}
	return nil
}

// linkFolder copies a folder of the source by hard links, with those of its
// folders that have no Makefile of their own: parts that are included.
func linkFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		old, fresh := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		if entry.IsDir() {
			if _, err := os.Stat(filepath.Join(old, "Makefile")); err == nil {
				continue
			}
			err = linkFolder(old, fresh)
		} else {
			err = linkFile(old, fresh)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// linkFile links, or copies where a file system has no links.
func linkFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	w, err := os.Create(to)
	if err == nil {
		_, err = io.Copy(w, r)
		err = errors.Join(err, w.Close())
	}
	return errors.Join(err, r.Close())
}
