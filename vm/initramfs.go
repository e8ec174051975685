// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bufio"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/cavaliergopher/cpio"

	"skleak/kernels"
)

// archive is an initramfs being written.
type archive struct {
	w    *cpio.Writer
	dirs map[string]bool
	// names are what is in it.
	names map[string]bool
}

func newArchive(w io.Writer) *archive {
	return &archive{w: cpio.NewWriter(w), dirs: map[string]bool{}, names: map[string]bool{}}
}

// header starts an entry, its folders first.
func (a *archive) header(name string, mode cpio.FileMode, size int64, links int) error {
	name = merged(name)
	if err := a.folder(path.Dir(name)); err != nil {
		return err
	}
	return a.entry(name, mode, size, links)
}

// entry starts an entry by its very name.
func (a *archive) entry(name string, mode cpio.FileMode, size int64, links int) error {
	a.names[name] = true
	h := &cpio.Header{Name: name, Mode: mode, Size: size, Links: links}
	if err := a.w.WriteHeader(h); err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	return nil
}

func (a *archive) folder(name string) error {
	name = merged(name)
	if name == "." || name == "" || a.dirs[name] {
		return nil
	}
	a.dirs[name] = true
	return a.header(name, cpio.TypeDir|0o755, 0, 2)
}

func (a *archive) bytes(name string, mode cpio.FileMode, data []byte) error {
	if err := a.header(name, cpio.TypeReg|mode, int64(len(data)), 1); err != nil {
		return err
	}
	if _, err := a.w.Write(data); err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	return nil
}

func (a *archive) file(name string, mode cpio.FileMode, from string) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	if err := a.header(name, cpio.TypeReg|mode, st.Size(), 1); err != nil {
		return err
	}
	if _, err := io.CopyN(a.w, f, st.Size()); err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	return nil
}

// symlink adds a link below where the folders at the top really are.
func (a *archive) symlink(name, target string) error {
	name = merged(name)
	if err := a.folder(path.Dir(name)); err != nil {
		return err
	}
	return a.link(name, target)
}

// link adds a symbolic link by its very name, whose folder is there.
func (a *archive) link(name, target string) error {
	if err := a.entry(name, cpio.TypeSymlink|0o777, int64(len(target)), 1); err != nil {
		return err
	}
	if _, err := io.WriteString(a.w, target); err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	return nil
}

func (a *archive) Close() error {
	if err := a.w.Close(); err != nil {
		return fmt.Errorf("end the initramfs: %w", err)
	}
	return nil
}

// initramfs is what a guest finds.
type initramfs struct {
	// self is the static binary that is /init.
	self    string
	modules []kernels.Module
	// signed keeps the modules' signatures. Checking one costs a guest without KVM
	// 15 ms, so only a kernel that insists on them gets them.
	signed  bool
	request request
	// extra maps a path in the guest to a file of this machine.
	extra map[string]string
	// userland is a tar file of programs; "" is none.
	userland string
}

// write writes the archive, uncompressed: unpacking costs a guest more than
// reading does.
func (i initramfs) write(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	a := newArchive(buffered)
	for _, dir := range []string{"proc", "sys", "dev", "run", "tmp", "root", "etc", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"} {
		if err := a.folder(dir); err != nil {
			return err
		}
	}
	for _, name := range mergedFolders() {
		if err := a.link(name, "usr/"+name); err != nil {
			return err
		}
	}
	if err := i.addUserland(a); err != nil {
		return err
	}
	if err := a.file(guestInit, 0o755, i.self); err != nil {
		return err
	}
	if err := a.symlink("/bin/skleak", guestInit); err != nil {
		return err
	}
	req, err := i.addModules(a)
	if err != nil {
		return err
	}
	for to, from := range i.extra {
		if a.names[merged(to)] {
			// A library of this machine does not go over one of the packages.
			continue
		}
		if err := a.file(to, 0o755, from); err != nil {
			return err
		}
	}
	data, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode the guest's request: %w", err)
	}
	if err := a.bytes(guestRequest, 0o644, data); err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// addModules adds the modules and enters them in the request.
func (i initramfs) addModules(a *archive) (request, error) {
	req := i.request
	for _, m := range i.modules {
		read := m.ReadUnsigned
		if i.signed {
			read = m.Read
		}
		data, err := read()
		if err != nil {
			return req, err
		}
		file := path.Join("/", guestModules, m.Name+".ko")
		if err := a.bytes(file, 0o644, data); err != nil {
			return req, err
		}
		req.Modules = append(req.Modules, guestModule{Name: m.Name, File: file, Soft: m.Soft})
	}
	return req, nil
}

// ErrNotStatic says that a binary cannot run where there are no libraries.
var ErrNotStatic = errors.New("not a static binary; build it with CGO_ENABLED=0 (`make build`)")

// checkStatic says whether file can be a guest's /init.
func checkStatic(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return fmt.Errorf("take %s as the guest's init: %w", file, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("take %s as the guest's init: %w", file, ErrNotStatic)
		}
	}
	if f.Machine != elf.EM_X86_64 {
		return fmt.Errorf("take %s as the guest's init: it is for %s, guests are x86_64", file, f.Machine)
	}
	return nil
}
