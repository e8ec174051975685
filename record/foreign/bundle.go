// SPDX-License-Identifier: GPL-2.0-only

package foreign

import (
	"archive/tar"
	"bufio"
	"bytes"
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
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// What Unpack takes at the most.
const (
	maxBundleFiles = 40000
	maxBundleBytes = 4 << 30
	maxBundleName  = 512
)

// ErrBundle is in the error of a file that is no bundle, or none that is whole.
var ErrBundle = errors.New("not a whole bundle")

// IsBundle reports whether a file begins as a bundle does: with zstd's magic
// number (RFC 8878, 3.1.1). A file that cannot be read is none.
func IsBundle(name string) bool {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	magic := make([]byte, 4)
	_, err = io.ReadFull(f, magic)
	return err == nil && bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd})
}

// Unpack unpacks a bundle (a tar.zst with one folder) into dir and compares each
// file with the checksums that the file sums of the folder has: each must be
// listed, be there and be what it was. Only regular files below that folder are
// taken, up to a bound of files and bytes.
func Unpack(ctx context.Context, name, dir, folder, sums string) (err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return &Error{name, withoutPath(err)}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := zstd.NewReader(stopping{ctx, f}, zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return &Error{name, err}
	}
	defer z.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the folder to unpack in: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	u := unpacking{root: root, prefix: folder + "/", found: map[string]string{}}
	if err := u.all(tar.NewReader(io.LimitReader(z, maxBundleBytes))); err != nil {
		return &Error{name, err}
	}
	if err := u.check(sums); err != nil {
		return &Error{name, err}
	}
	return nil
}

type unpacking struct {
	root   *os.Root
	prefix string
	// found has the checksum of each file.
	found map[string]string
}

func (u *unpacking) all(r *tar.Reader) error {
	for {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w; copy it again, or have it made again", ErrBundle, err)
		}
		if len(u.found) >= maxBundleFiles {
			return fmt.Errorf("%w: more than %d files", ErrTooLong, maxBundleFiles)
		}
		if err := u.one(head, r); err != nil {
			return err
		}
	}
}

// one writes a file, whose name must stay below the folder.
func (u *unpacking) one(head *tar.Header, r io.Reader) error {
	name, below := strings.CutPrefix(head.Name, u.prefix)
	if !below || head.Typeflag != tar.TypeReg || !fs.ValidPath(name) || len(name) > maxBundleName || u.found[name] != "" {
		return fmt.Errorf("%w: it has %.80q, want each file once, below %s", ErrBundle, head.Name, u.prefix)
	}
	if err := u.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o700); err != nil {
		return err
	}
	out, err := u.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, hash), r)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrBundle, name, err)
	}
	u.found[name] = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// check compares what was found with the list of checksums.
func (u *unpacking) check(sums string) error {
	if u.found[sums] == "" {
		return fmt.Errorf("%w: %s is missing; it was cut, or skleak has not made it", ErrBundle, sums)
	}
	text, err := u.root.ReadFile(sums)
	if err != nil {
		return err
	}
	listed := map[string]bool{sums: true}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		if u.found[name] != sum {
			return fmt.Errorf("%w: %q is missing or was changed; have the bundle made again", ErrBundle, name)
		}
		listed[name] = true
	}
	if err := lines.Err(); err != nil {
		return err
	}
	var strangers []string
	for name := range u.found {
		if !listed[name] {
			strangers = append(strangers, name)
		}
	}
	if len(strangers) > 0 {
		return fmt.Errorf("%w: %q has no checksum; have the bundle made again", ErrBundle, slices.Min(strangers))
	}
	return nil
}
