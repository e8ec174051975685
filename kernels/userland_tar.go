// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// joinPackages unpacks packages into one tar file and gives its size in bytes.
// What nobody reads in a guest, manuals and translations, is left out.
func joinPackages(ctx context.Context, file string, debs []string) (size int64, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<20)
	j := joined{w: tar.NewWriter(buffered), seen: map[string]bool{}}
	for _, deb := range debs {
		if err := streamDeb(ctx, deb, func(r io.Reader) error { return j.take(ctx, r) }); err != nil {
			return 0, fmt.Errorf("package %s: %w", filepath.Base(deb), err)
		}
	}
	if err := errors.Join(j.w.Close(), buffered.Flush()); err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// joined is the tar file being written.
type joined struct {
	w *tar.Writer
	// seen are names that are in it: folders come in many packages.
	seen map[string]bool
}

// take copies the members of one package.
func (j *joined) take(ctx context.Context, r io.Reader) error {
	return EachTarMember(ctx, r, "the package", func(h *tar.Header, members io.Reader) error {
		if err := j.member(h, members); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		return nil
	})
}

// member copies one member. Whatever owner and time it has, it gets root's and
// none: the archive's bytes are to follow from the packages alone.
func (j *joined) member(h *tar.Header, r io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" || unread(name) || j.seen[name] {
		return nil
	}
	j.seen[name] = true
	out := &tar.Header{Typeflag: h.Typeflag, Name: name, Mode: h.Mode, Format: tar.FormatPAX}
	switch h.Typeflag {
	case tar.TypeReg:
		if h.Size > maxMember {
			return fmt.Errorf("it has %d bytes; at most %d are taken", h.Size, maxMember)
		}
		out.Size = h.Size
	case tar.TypeDir:
	case tar.TypeSymlink:
		out.Linkname = h.Linkname
	case tar.TypeLink:
		// A name for a file of the same package; a symbolic link does as well.
		out.Typeflag, out.Linkname = tar.TypeSymlink, path.Clean("/"+h.Linkname)
	default:
		return nil
	}
	if err := j.w.WriteHeader(out); err != nil {
		return err
	}
	_, err := io.Copy(j.w, r)
	return err
}

// unread says whether a guest has no use for a file.
func unread(name string) bool {
	for _, folder := range []string{"usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug"} {
		if name == folder || strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}
