// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"skleak/kernels"
	"skleak/mutants"
)

// maxSource bounds one file of the source in bytes.
const maxSource = 32 << 20

// unpackSource streams the wanted folders out of a linux-source package into
// dir. NB: xz the program, not a Go one: there are 1.4 GB to unpack, which takes
// it 10 s and the Go libraries minutes.
func unpackSource(ctx context.Context, deb, dir string) error {
	outer, packed := io.Pipe()
	inner, plain := io.Pipe()
	failed := make(chan error, 2)
	go func() {
		err := command{argv: []string{"dpkg-deb", "--fsys-tarfile", deb}, out: packed}.run(ctx)
		failed <- errors.Join(err, packed.CloseWithError(err))
	}()
	go func() {
		archive, err := innerArchive(outer)
		if err == nil {
			err = command{argv: []string{"xz", "--decompress", "--stdout"}, in: archive, out: plain}.run(ctx)
		}
		if err == nil {
			// dpkg-deb pads the end; leaving it unread would break its pipe.
			_, err = io.Copy(io.Discard, outer)
		}
		failed <- errors.Join(err, plain.CloseWithError(err), outer.CloseWithError(err))
	}()
	err := readSource(ctx, inner, dir)
	closed := inner.CloseWithError(err)
	return errors.Join(err, closed, <-failed, <-failed)
}

// innerArchive finds the source's own archive in the package's.
func innerArchive(r io.Reader) (io.Reader, error) {
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err != nil {
			return nil, fmt.Errorf("find the source's archive in its package: %w", err)
		}
		base := path.Base(h.Name)
		if strings.HasPrefix(base, "linux-source-") && strings.HasSuffix(base, ".tar.xz") {
			return archive, nil
		}
	}
}

// readSource keeps C files, headers and Makefiles of the wanted folders.
func readSource(ctx context.Context, r io.Reader, dir string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return kernels.EachTarMember(ctx, r, "the source", func(h *tar.Header, archive io.Reader) error {
		_, name, _ := strings.Cut(path.Clean(h.Name), "/")
		if h.Typeflag != tar.TypeReg || !mutants.SourcePath(name) || !buildFile(name) {
			return nil
		}
		if err := keep(root, name, archive, h.Size); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
		return nil
	})
}

func buildFile(name string) bool {
	base := path.Base(name)
	return slices.Contains([]string{".c", ".h"}, path.Ext(base)) || base == "Makefile" || base == "Kbuild"
}

func keep(root *os.Root, name string, from io.Reader, size int64) error {
	if size > maxSource {
		return fmt.Errorf("%d bytes; at most %d are taken", size, maxSource)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, from, size)
	return errors.Join(err, f.Close())
}
