// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// local is where the parts of a build tree or of a pair are.
type local struct {
	// image is a bzImage or a vmlinux.
	image string
	// config and systemMap are "" when there is none.
	config    string
	systemMap string
	modules   []string
	// modulesDir has modules.builtin beside the modules.
	modulesDir string
	release    string
	notes      []string
}

// fetchLocal makes the kernel of a build tree or of a pair. Its files stay
// where they are; the store keeps the vmlinux taken out of a bzImage and the
// index of modules, until the files change.
func (s *Store) fetchLocal(ctx context.Context, name Name, found local, err error) (*Kernel, error) {
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	if old, err := s.Show(name); err == nil && sameFiles(old, found) {
		return old, nil
	}
	size, err := found.imageSize()
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	if err := s.reserve(ctx, name, size, 0); err != nil {
		return nil, err
	}
	return s.build(name, func(b *builder) error { return found.fill(ctx, b) })
}

// findTree looks through a kernel build tree.
func findTree(dir string) (local, error) {
	l := local{
		image:      firstFile(filepath.Join(dir, "vmlinux"), filepath.Join(dir, "arch/x86/boot/bzImage")),
		config:     firstFile(filepath.Join(dir, ".config")),
		systemMap:  firstFile(filepath.Join(dir, "System.map")),
		modulesDir: dir,
	}
	if l.image == "" {
		return local{}, fmt.Errorf("no kernel in %s: neither vmlinux nor arch/x86/boot/bzImage; build it first (make -j bzImage modules)", dir)
	}
	release, err := os.ReadFile(filepath.Join(dir, "include/config/kernel.release"))
	if err == nil {
		l.release = strings.TrimSpace(string(release))
	}
	order, err := os.ReadFile(filepath.Join(dir, "modules.order"))
	if errors.Is(err, fs.ErrNotExist) {
		l.modules, err = walkModules(dir)
		return l, err
	}
	if err != nil {
		return local{}, err
	}
	l.fromOrder(order)
	return l, nil
}

// fromOrder takes the modules a build made last from its modules.order, which
// lists .ko, or .o from 6.2 on.
func (l *local) fromOrder(order []byte) {
	lines := bufio.NewScanner(bytes.NewReader(order))
	missing := 0
	for lines.Scan() {
		file := strings.TrimPrefix(strings.TrimSpace(lines.Text()), "kernel/")
		stem := strings.TrimSuffix(strings.TrimSuffix(file, ".ko"), ".o")
		if stem == "" {
			continue
		}
		file = filepath.Join(l.modulesDir, stem+".ko")
		if firstFile(file) == "" {
			missing++
			continue
		}
		l.modules = append(l.modules, file)
	}
	if missing > 0 {
		l.notes = append(l.notes, fmt.Sprintf("%d modules of modules.order are not built: make modules", missing))
	}
}

// findPair looks at an image and a folder of modules, which may be one of
// /lib/modules. A config or System.map is looked for beside them.
func findPair(image, dir string) (local, error) {
	if firstFile(image) == "" {
		return local{}, fmt.Errorf("%s is no file", image)
	}
	l := local{image: image, modulesDir: dir}
	suffix := strings.TrimPrefix(filepath.Base(image), "vmlinuz")
	beside := filepath.Dir(image)
	l.config = firstFile(filepath.Join(dir, "config"), filepath.Join(beside, "config"+suffix))
	l.systemMap = firstFile(filepath.Join(dir, "System.map"), filepath.Join(beside, "System.map"+suffix))
	var err error
	l.modules, err = walkModules(dir)
	return l, err
}

// firstFile gives the first of the paths that is a file with something in it.
func firstFile(paths ...string) string {
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Size() > 0 {
			return p
		}
	}
	return ""
}

func walkModules(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("look for modules: %w", err)
		}
		if d.IsDir() && file != dir && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if _, ok := moduleFile(file); ok && d.Type().IsRegular() {
			out = append(out, file)
		}
		return nil
	})
	return out, err
}

// sources are all files the kernel is made of.
func (l local) sources() []string {
	files := []string{l.image}
	for _, file := range []string{l.config, l.systemMap, l.builtin(), l.builtin() + ".modinfo"} {
		if firstFile(file) != "" {
			files = append(files, file)
		}
	}
	return append(files, l.modules...)
}

func (l local) builtin() string { return filepath.Join(l.modulesDir, "modules.builtin") }

// sameFiles says whether a kernel was made of the same files; that they are
// unchanged its check has told.
func sameFiles(k *Kernel, l local) bool {
	had := map[string]bool{}
	for _, sum := range k.Checksums {
		if filepath.IsAbs(sum.File) {
			had[sum.File] = true
		}
	}
	now := l.sources()
	for _, file := range now {
		if !had[file] {
			return false
		}
	}
	return len(now) == len(had)
}

func (l local) fill(ctx context.Context, b *builder) error {
	for _, file := range l.sources() {
		if err := b.outside(file); err != nil {
			return err
		}
	}
	b.kernel.Config, b.kernel.SystemMap, b.kernel.ModulesDir = l.config, l.systemMap, l.modulesDir
	b.kernel.Notes = l.notes
	if err := l.fillImage(b); err != nil {
		return fmt.Errorf("%s: %w", l.image, err)
	}
	b.kernel.Release = cmp.Or(b.kernel.Release, l.release)
	if err := l.fillBuiltin(b); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, file := range l.modules {
		g.Go(func() error { return indexFile(ctx, b, file) })
	}
	return g.Wait()
}

// fillImage leaves a vmlinux where it is and takes one out of a bzImage.
func (l local) fillImage(b *builder) error {
	f, err := os.Open(l.image)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if isELF(f) {
		b.kernel.Vmlinux = l.image
		return b.inspect(f)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxMember))
	if err != nil {
		return err
	}
	return b.image(content)
}

// imageSize is what the store will hold of the image, in bytes: nothing of a
// vmlinux, and what a bzImage unpacks to, some five times its size.
func (l local) imageSize() (int64, error) {
	f, err := os.Open(l.image)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if isELF(f) {
		return 0, nil
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return min(5*st.Size(), maxImage), nil
}

func isELF(r io.ReaderAt) bool {
	magic := make([]byte, len(elf.ELFMAG))
	_, err := r.ReadAt(magic, 0)
	return err == nil && string(magic) == elf.ELFMAG
}

func (l local) fillBuiltin(b *builder) error {
	data, err := os.ReadFile(l.builtin())
	if errors.Is(err, fs.ErrNotExist) {
		b.note("there is no modules.builtin, so what is built in is taken for missing")
		return nil
	}
	if err != nil {
		return err
	}
	b.index.Builtin = parseBuiltin(data)
	data, err = os.ReadFile(l.builtin() + ".modinfo")
	if err == nil {
		b.index.BuiltinAliases = parseBuiltinModinfo(data)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func indexFile(ctx context.Context, b *builder, file string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	content, err = unpackModule(content)
	if err != nil {
		return fmt.Errorf("module %s: %w", file, err)
	}
	return b.indexModule(file, content)
}
