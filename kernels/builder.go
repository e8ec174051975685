// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// builder puts a kernel together in a folder under tmp/. Its methods may be
// called by several goroutines at once.
type builder struct {
	dir  string
	root *os.Root

	mu     sync.Mutex
	kernel Kernel
	index  Modules
	// releases are those the modules are for, by their vermagic.
	releases map[string]string
}

func newBuilder(name Name, dir string) (*builder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &builder{dir: dir, root: root, kernel: Kernel{Name: name}, releases: map[string]string{}}, nil
}

// Close lets go of the folder.
func (b *builder) Close() error { return b.root.Close() }

// write puts a file into the folder and notes its checksum. Paths that lead
// out of the folder are refused by os.Root.
func (b *builder) write(file string, content []byte) error {
	if err := b.root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	if err := b.root.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	st, err := b.root.Stat(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kernel.Size += st.Size()
	b.kernel.Checksums = append(b.kernel.Checksums, Checksum{
		File: file, Size: st.Size(), ModTime: st.ModTime(), SHA256: hex.EncodeToString(sum[:]),
	})
	return nil
}

// outside notes a file that stays where it is.
func (b *builder) outside(file string) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kernel.Checksums = append(b.kernel.Checksums, Checksum{File: file, Size: st.Size(), ModTime: st.ModTime()})
	return nil
}

// image takes the vmlinux out of a bzImage and keeps it.
func (b *builder) image(content []byte) error {
	img, err := readImage(content)
	if err != nil {
		return err
	}
	if err := b.inspect(bytes.NewReader(img.ELF)); err != nil {
		return err
	}
	b.kernel.Release = img.Release
	b.kernel.Vmlinux = vmlinuxFile
	return b.write(vmlinuxFile, img.ELF)
}

// inspect notes what the vmlinux says of itself.
func (b *builder) inspect(vmlinux io.ReaderAt) error {
	pvh, err := hasPVH(vmlinux)
	if err != nil {
		return err
	}
	b.kernel.PVH = pvh
	if !pvh {
		b.note("the vmlinux has no PVH entry, so QEMU cannot start it: turn CONFIG_PVH on")
	}
	return nil
}

func (b *builder) note(text string) { b.kernel.Notes = append(b.kernel.Notes, text) }

// packedModule unpacks a module, keeps it below modules/ and puts it in the
// index.
func (b *builder) packedModule(file string, packed []byte) error {
	content, err := unpackModule(packed)
	if err != nil {
		return fmt.Errorf("module %s: %w", file, err)
	}
	stem, _, _ := strings.Cut(path.Base(file), ".ko")
	file = path.Join(modulesTree, path.Dir(file), stem+".ko")
	if err := b.write(file, content); err != nil {
		return err
	}
	return b.indexModule(file, content)
}

func (b *builder) indexModule(file string, content []byte) error {
	module, release, err := newModule(file, content)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index.All = append(b.index.All, module)
	if release != "" {
		b.releases[release] = module.Name
	}
	return nil
}

// finish checks that the parts belong together and writes the manifest, all of
// it on disk when it returns.
func (b *builder) finish() (err error) {
	if b.kernel.Vmlinux == "" {
		return errors.New("there is no kernel image in it")
	}
	if err := b.checkRelease(); err != nil {
		return err
	}
	b.index.sort()
	slices.SortFunc(b.kernel.Checksums, func(x, y Checksum) int { return strings.Compare(x.File, y.File) })
	index, err := json.Marshal(b.index)
	if err != nil {
		return err
	}
	if err := b.write(modulesFile, index); err != nil {
		return err
	}
	b.kernel.Fetched = time.Now().UTC().Truncate(time.Second)
	manifest, err := json.Marshal(b.kernel)
	if err != nil {
		return err
	}
	if err := b.root.WriteFile(kernelFile, manifest, 0o644); err != nil {
		return err
	}
	return syncFS(b.dir)
}

// checkRelease holds the image's release against the modules' vermagic.
func (b *builder) checkRelease() error {
	for release, module := range b.releases {
		if b.kernel.Release == "" {
			b.kernel.Release = release
		}
		if release != b.kernel.Release {
			return fmt.Errorf("the modules are not this kernel's: it is %s, module %s is for %s", b.kernel.Release, module, release)
		}
	}
	if b.kernel.Release == "" {
		return errors.New("it does not say its release: the image has no version string and there are no modules")
	}
	return nil
}

// syncFS puts everything in the folder's file system on disk: one call for
// some 4,000 files.
func syncFS(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = unix.Syncfs(int(f.Fd()))
	return errors.Join(err, f.Close())
}

// publish renames a finished folder to its place, over an old one.
func (s *Store) publish(name Name) error {
	from, to := s.tmpDir(name), s.kernelDir(name)
	if err := os.Remove(filepath.Join(from, reservedFile)); err != nil {
		return err
	}
	// A folder cannot be renamed over one that has something in it.
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFS(filepath.Dir(to))
}

// stubMap says whether a System.map only points to a debug package.
func stubMap(content []byte) bool {
	return len(content) < 4096 && bytes.Contains(content, []byte("real System.map"))
}
