// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"skleak/mutants"
)

// nobody is the user and the group that spatch runs as where root starts it:
// those of the kernel's overflow ids (kernel/sys.c, DEFAULT_OVERFLOWUID).
const nobody = 65534

// maxPatched bounds the patched file and the diff, each in bytes.
const maxPatched = 16 << 20

// The folders spatch works in are handed over open: it may not enter the ones
// above them.
const (
	sourceFolder = "/proc/self/fd/3"
	boxFolder    = "/proc/self/fd/4"
)

// patch applies the semantic patch to from and writes to. Where root runs it,
// spatch is nobody, without a network; it can write to a folder of its own alone.
func patch(ctx context.Context, m mutants.Mutant, from, to string) (diff string, err error) {
	box, err := os.MkdirTemp(filepath.Dir(to), "spatch-*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(box)) }()
	name := filepath.Base(to)
	if err := os.WriteFile(filepath.Join(box, mutants.PatchFile), []byte(m.Patch), 0o644); err != nil {
		return "", err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(box, nobody, nobody); err != nil {
			return "", err
		}
	}
	said, err := spatch(ctx, filepath.Dir(from), box, filepath.Base(from), name)
	none := err != nil && strings.Contains(err.Error(), "no modified files")
	if err != nil && !none {
		return "", fmt.Errorf("apply %s: %w", filepath.Join(m.Dir, mutants.PatchFile), err)
	}
	if none || strings.TrimSpace(said) == "" {
		return "", fmt.Errorf("apply %s to %s: %w", filepath.Join(m.Dir, mutants.PatchFile), from, ErrNothingChanged)
	}
	if err := takeOut(box, name, to); err != nil {
		return "", fmt.Errorf("take what spatch made of %s: %w", from, err)
	}
	return strings.NewReplacer(sourceFolder, filepath.Dir(from), boxFolder, filepath.Dir(to)).Replace(said), nil
}

// spatch runs it on a file of the folder source; what it makes is in box.
func spatch(ctx context.Context, source, box, file, made string) (diff string, err error) {
	c := command{
		argv: []string{
			"spatch", "--very-quiet", "--timeout", "120", "--sp-file", filepath.Join(boxFolder, mutants.PatchFile),
			filepath.Join(sourceFolder, file), "-o", filepath.Join(boxFolder, made),
		},
		dir: "/",
		// What the caller's environment says is not the patch's to know.
		env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "TMPDIR=" + boxFolder},
		attr: apart(),
	}
	for _, dir := range []string{source, box} {
		f, err := os.Open(dir)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		c.files = append(c.files, f)
	}
	out := &limited{left: maxPatched}
	c.out = out
	if err := c.run(ctx); err != nil {
		return "", err
	}
	return out.String(), nil
}

// apart are the privileges of spatch. An ordinary user has none to lose.
func apart() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		attr.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{}}
	}
	return attr
}

// takeOut puts the file that spatch made in the place of the one to patch.
func takeOut(box, name, to string) (err error) {
	f, err := os.OpenFile(filepath.Join(box, name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPatched {
		return fmt.Errorf("want a file of at most %d bytes, got %s of %d", maxPatched, info.Mode().Type(), info.Size())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPatched))
	if err != nil {
		return err
	}
	// NB: the file to patch is a link to the source's; that one must stay.
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// limited keeps what is written to it up to a bound, and fails beyond.
type limited struct {
	strings.Builder
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fmt.Errorf("a diff of more than %d bytes", maxPatched)
	}
	return l.Builder.Write(p)
}
