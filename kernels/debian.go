// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxMember bounds one file of a package in bytes.
const maxMember = 256 << 20

// fetchDebian downloads a release's packages and builds the kernel in its
// folder under tmp/.
func (s *Store) fetchDebian(ctx context.Context, b *builder, r Release, progress func(Progress)) error {
	deb := filepath.Join(b.dir, "deb")
	if err := os.Mkdir(deb, 0o755); err != nil {
		return err
	}
	_, total := estimate(r.Packages)
	stop := func() {}
	watch := func(folder string) {
		stop = watchFolder(folder, func(n int64) { progress(Progress{r.Name, StepDownload, n, total}) })
	}
	var files []string
	// Shared among downloads, apart from an update of the lists they rely on.
	l := s.lock("apt")
	_, err := l.TryRLockContext(ctx, lockRetry)
	if err == nil {
		files, err = s.apt().download(ctx, deb, r.Packages, watch)
	}
	stop()
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	b.kernel.Packages = r.Packages
	var done int64
	for i, file := range files {
		progress(Progress{r.Name, StepUnpack, done, total})
		if err := unpackDeb(ctx, b, file); err != nil {
			return fmt.Errorf("package %s: %w", r.Packages[i].Name, err)
		}
		done += r.Packages[i].Size
	}
	if b.kernel.Vmlinux != "" && b.kernel.Release != r.Uname {
		return fmt.Errorf("package of %s holds a kernel that calls itself %s", r.Uname, b.kernel.Release)
	}
	b.kernel.ModulesDir = modulesTree
	if b.kernel.Config == "" {
		b.note("its packages have no config")
	}
	progress(Progress{r.Name, StepUnpack, total, total})
	return os.RemoveAll(deb)
}

// watchInterval is how often a download's progress is told.
const watchInterval = 200 * time.Millisecond

// watchFolder tells a folder's size from time to time until it is stopped.
func watchFolder(dir string, tell func(int64)) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		for {
			if n, err := folderSize(dir); err == nil {
				tell(n)
			}
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(end); <-ended }
}

// unpackDeb streams a package's files into the builder.
func unpackDeb(ctx context.Context, b *builder, file string) error {
	return streamDeb(ctx, file, func(r io.Reader) error { return readTar(ctx, b, r) })
}

// streamDeb gives a package's files to read, as a tar file.
func streamDeb(ctx context.Context, file string, read func(io.Reader) error) error {
	r, w := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		_, err := command{argv: []string{"dpkg-deb", "--fsys-tarfile", file}, out: w}.run(ctx)
		failed <- errors.Join(err, w.CloseWithError(err))
	}()
	err := read(r)
	closed := r.CloseWithError(cmpErr(err, io.ErrClosedPipe))
	// The reader's error has the cause, also when it is dpkg-deb's: a pipe hands
	// errors on.
	return cmpErr(err, cmpErr(<-failed, closed))
}

// readTar takes what belongs to a kernel out of a package. Modules are
// unpacked beside the reading, as many at once as there are processors.
func readTar(ctx context.Context, b *builder, r io.Reader) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	err := eachMember(ctx, r, func(name string, content []byte) error {
		if rel, ok := moduleMember(name); ok {
			g.Go(func() error { return b.packedModule(rel, content) })
			return nil
		}
		return b.member(name, content)
	})
	if failed := g.Wait(); failed != nil {
		return failed
	}
	return err
}

func eachMember(ctx context.Context, r io.Reader, each func(string, []byte) error) error {
	return EachTarMember(ctx, r, "the package", func(h *tar.Header, archive io.Reader) error {
		name := path.Clean("/" + h.Name)
		if h.Typeflag != tar.TypeReg || !wanted(name) {
			return nil
		}
		if h.Size > maxMember {
			return fmt.Errorf("%s has %d bytes; at most %d are taken", name, h.Size, maxMember)
		}
		// NB: not a buffer of the size the header claims, which may lie.
		var content bytes.Buffer
		content.Grow(int(min(h.Size, 4<<20)) + bytes.MinRead)
		if _, err := content.ReadFrom(archive); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if err := each(name, content.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// memberOf gives a file's place below the modules' folder, or its kind in
// /boot; "" for what is no part of a kernel.
func memberOf(name string) string {
	if rest, found := strings.CutPrefix(name, "/boot/"); found {
		kind, _, versioned := strings.Cut(rest, "-")
		if versioned && slices.Contains([]string{"vmlinuz", "config", "System.map"}, kind) {
			return kind
		}
		return ""
	}
	rest, found := strings.CutPrefix(strings.TrimPrefix(name, "/usr"), "/lib/modules/")
	if !found {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "/")
	return rest
}

func wanted(name string) bool { return memberOf(name) != "" }

func moduleMember(name string) (string, bool) {
	rel := memberOf(name)
	_, ok := moduleFile(rel)
	return rel, ok
}

// member takes one file that is no module.
func (b *builder) member(name string, content []byte) error {
	switch memberOf(name) {
	case "vmlinuz":
		return b.image(content)
	case "config":
		b.kernel.Config = configFile
		return b.write(configFile, content)
	case "System.map":
		if stubMap(content) {
			return nil
		}
		b.kernel.SystemMap = mapFile
		return b.write(mapFile, content)
	case "modules.builtin":
		b.index.Builtin = parseBuiltin(content)
	case "modules.builtin.modinfo":
		b.index.BuiltinAliases = parseBuiltinModinfo(content)
	}
	return nil
}
