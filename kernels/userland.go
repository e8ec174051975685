// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Wanted says which programs a guest is to have.
type Wanted struct {
	// Suite is Debian's, as "bookworm"; "" is the one of the machine's own apt
	// configuration.
	Suite string
	// Packages are names of packages.
	Packages []string
}

// Userland is Debian packages with all that they depend on, unpacked and
// joined into one archive.
type Userland struct {
	Suite string `json:"suite"`
	// Packages are those that were asked for and those that these need.
	Packages []Package `json:"packages"`
	// Size is the archive's in bytes.
	Size int64     `json:"size"`
	Made time.Time `json:"made"`
	// Tar is an uncompressed tar file in the store.
	Tar string `json:"-"`
}

const (
	userlandFile = "userland.json"
	userlandTar  = "root.tar"
	// userlandAge is how long a userland is used before the mirror is asked
	// whether it has newer packages.
	userlandAge = 30 * 24 * time.Hour
	// userlandsKept bounds what all userlands take in the store, in bytes.
	userlandsKept = 2 << 30
	// userlandRecipe counts the ways they have been made.
	userlandRecipe = "1"
)

// UnknownPackageError says that a suite has no such package.
type UnknownPackageError struct{ Package, Suite string }

func (e *UnknownPackageError) Error() string {
	return fmt.Sprintf("Debian's suite %s has no package %q; `apt-cache search` finds a package by a word", e.Suite, e.Package)
}

// Userland gives the packages of w with what they depend on, from the store or
// from the mirror. They are not installed: no script of theirs runs. It appears
// in the store whole or not at all. Progress may be nil.
func (s *Store) Userland(ctx context.Context, w Wanted, progress func(Progress)) (*Userland, error) {
	for _, name := range w.Packages {
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`).MatchString(name) {
			return nil, fmt.Errorf("package %q: a Debian package's name has a-z, 0-9, +, - and . only", name)
		}
	}
	found, err := s.archives(ctx)
	if err != nil {
		return nil, err
	}
	if w.Suite == "" {
		w.Suite = found.ownSuite()
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	key := w.key(found)
	var u *Userland
	err = s.locked(ctx, key, func() error {
		kept, keptErr := s.loadUserland(key)
		if keptErr == nil && time.Since(kept.Made) < userlandAge {
			u = kept
			return nil
		}
		if u, err = s.makeUserland(ctx, w, found, key, progress); err == nil || keptErr != nil || ctx.Err() != nil {
			return err
		}
		u = kept // older, but the mirror gives none
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("packages %s for a guest: %w", strings.Join(w.Packages, ", "), err)
	}
	return u, s.pruneUserlands(ctx, key)
}

// key names the userland in the store.
func (w Wanted) key(found archives) string {
	names := slices.Compact(slices.Sorted(slices.Values(w.Packages)))
	sum := sha256.Sum256([]byte(strings.Join([]string{userlandRecipe, w.Suite, strings.Join(names, " "), sourcesFile(found.suites())}, "\n")))
	return "userland-" + hex.EncodeToString(sum[:8])
}

func (s *Store) userlandDir(key string) string { return filepath.Join(s.dir, "userlands", key) }

func (s *Store) loadUserland(key string) (*Userland, error) {
	u := &Userland{Tar: filepath.Join(s.userlandDir(key), userlandTar)}
	if err := readJSON(filepath.Join(s.userlandDir(key), userlandFile), u); err != nil {
		return nil, err
	}
	st, err := os.Stat(u.Tar)
	if err == nil && st.Size() != u.Size {
		err = fmt.Errorf("%s: %w", u.Tar, ErrChanged)
	}
	return u, err
}

// makeUserland fetches and unpacks. The userland's lock must be held.
func (s *Store) makeUserland(ctx context.Context, w Wanted, found archives, key string, progress func(Progress)) (u *Userland, err error) {
	c, err := s.Available(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(c.Suites, w.Suite) {
		return nil, fmt.Errorf("the mirror serves no suite %q; it has %s", w.Suite, strings.Join(c.Suites, ", "))
	}
	packages, err := s.installed(ctx, w, found)
	if err != nil {
		return nil, err
	}
	work := filepath.Join(s.dir, "tmp", key)
	if err := s.roomFor(w, packages); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(work); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	debs := filepath.Join(work, "deb")
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return nil, err
	}
	u = &Userland{Suite: w.Suite, Packages: packages, Made: time.Now().UTC().Truncate(time.Second)}
	var total int64
	for _, p := range packages {
		total += p.Size
	}
	what := Name("packages " + strings.Join(w.Packages, ","))
	progress(Progress{what, StepDownload, 0, total})
	files, err := s.Download(ctx, debs, packages)
	if err != nil {
		return nil, err
	}
	progress(Progress{what, StepUnpack, 0, total})
	if u.Size, err = joinPackages(ctx, filepath.Join(work, userlandTar), files); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(debs); err != nil {
		return nil, err
	}
	progress(Progress{what, StepWrite, total, total})
	return s.publishUserland(u, work, key)
}

// publishUserland puts a finished folder in its place.
func (s *Store) publishUserland(u *Userland, work, key string) (*Userland, error) {
	manifest, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(work, userlandFile), manifest, 0o644); err != nil {
		return nil, err
	}
	dir := s.userlandDir(key)
	if err := errors.Join(syncFS(work), os.MkdirAll(filepath.Dir(dir), 0o755), os.RemoveAll(dir)); err != nil {
		return nil, err
	}
	if err := os.Rename(work, dir); err != nil {
		return nil, err
	}
	return s.loadUserland(key)
}

// roomFor refuses what the disk has no room for: the packages, and what they
// unpack to.
func (s *Store) roomFor(w Wanted, packages []Package) error {
	var needs int64
	for _, p := range packages {
		needs += p.Size + p.Installed
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(s.dir, &disk); err != nil {
		return fmt.Errorf("how much disk is free at %s: %w", s.dir, err)
	}
	if free := int64(disk.Bavail) * disk.Bsize; needs > free {
		return fmt.Errorf("%s of suite %s need about %s, but only %s of disk are free at %s",
			strings.Join(w.Packages, ", "), w.Suite, mega(needs), mega(free), s.dir)
	}
	return nil
}

// onlyToInstall are packages that others want while they are being installed,
// for dpkg and its scripts. In a guest nothing is installed, so apt is told that
// they are there; usr-is-merged says what is true of a guest.
func onlyToInstall() []string {
	return []string{"usr-is-merged", "debconf", "dpkg", "adduser", "init-system-helpers", "ucf", "install-info", "sensible-utils"}
}

// statusOf is dpkg's status file of a machine with those, but for the named.
func statusOf(but []string) string {
	var b strings.Builder
	for _, name := range onlyToInstall() {
		if slices.Contains(but, name) {
			continue
		}
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nVersion: 9999\nArchitecture: amd64\nMulti-Arch: foreign\n"+
			"Maintainer: nobody\nDescription: not needed in a guest\n", name)
		if name == "debconf" {
			b.WriteString("Provides: debconf-2.0\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// installed asks apt what it would install of one suite for w.
func (s *Store) installed(ctx context.Context, w Wanted, found archives) ([]Package, error) {
	a := s.apt()
	parts, status := "sources-"+w.Suite, "status-"+w.key(found)
	if err := os.MkdirAll(filepath.Join(a.dir, parts), 0o755); err != nil {
		return nil, err
	}
	var suites []suite
	for _, one := range found.suites() {
		if one.Name == w.Suite || one.Name == w.Suite+"-security" {
			suites = append(suites, one)
		}
	}
	for file, text := range map[string]string{filepath.Join(parts, "skleak.sources"): sourcesFile(suites), status: statusOf(w.Packages)} {
		if err := renameio.WriteFile(filepath.Join(a.dir, file), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	defer os.Remove(filepath.Join(a.dir, status)) //nolint:errcheck // what is left of it is a kilobyte
	only := []string{
		// apt's cache file is of all suites.
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
		"-o", "Dir::Etc::sourceparts=" + filepath.Join(a.state(), parts),
		"-o", "Dir::State::status=" + filepath.Join(a.state(), status),
	}
	var out bytes.Buffer
	args := slices.Concat(only, []string{"install", "--simulate", "--quiet=2", "--no-install-recommends"}, w.Packages)
	if _, err := a.run(ctx, "", &out, "apt-get", args...); err != nil {
		return nil, w.refused(err)
	}
	simulated := readSimulation(out.String(), "")
	for _, name := range w.Packages {
		if !slices.ContainsFunc(simulated, func(p Package) bool { return p.Name == name }) {
			return nil, &UnknownPackageError{name, w.Suite}
		}
	}
	return s.sizes(ctx, a, only, simulated)
}

// refused makes apt's complaint of a missing package one of ours.
func (w Wanted) refused(err error) error {
	var said *CommandError
	if errors.As(err, &said) {
		for _, name := range w.Packages {
			for _, complaint := range []string{"Unable to locate package " + name, "Package '" + name + "' has no installation candidate"} {
				if slices.ContainsFunc(strings.Split(said.Said, "\n"), func(line string) bool { return strings.HasSuffix(line, complaint) }) {
					return &UnknownPackageError{name, w.Suite}
				}
			}
		}
	}
	return fmt.Errorf("ask apt what they depend on: %w", err)
}

// sizes fills in what the lists say of the packages.
func (s *Store) sizes(ctx context.Context, a apt, only []string, packages []Package) ([]Package, error) {
	args := append(slices.Clone(only), "show")
	for _, p := range packages {
		args = append(args, p.Name+"="+p.Version)
	}
	var out bytes.Buffer
	if _, err := a.run(ctx, "", &out, "apt-cache", args...); err != nil {
		return nil, fmt.Errorf("ask apt how large the packages are: %w", err)
	}
	var all []Package
	err := readStanzas(&out, func(st stanza) {
		p := newPackage(st)
		if slices.ContainsFunc(packages, func(q Package) bool { return q.Name == p.Name && q.Version == p.Version }) &&
			!slices.ContainsFunc(all, func(q Package) bool { return q.Name == p.Name }) {
			all = append(all, p)
		}
	})
	if err == nil && len(all) != len(packages) {
		err = fmt.Errorf("apt knows %d of %d packages", len(all), len(packages))
	}
	return all, err
}

// pruneUserlands takes out the oldest beyond what all may take, but for one.
func (s *Store) pruneUserlands(ctx context.Context, but string) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, "userlands"))
	if err != nil {
		return err
	}
	type sized struct {
		key string
		u   *Userland
	}
	var all []sized
	for _, entry := range entries {
		if u, err := s.loadUserland(entry.Name()); err == nil && entry.Name() != but {
			all = append(all, sized{entry.Name(), u})
		}
	}
	slices.SortFunc(all, func(a, b sized) int { return b.u.Made.Compare(a.u.Made) })
	var total int64
	for _, one := range all {
		if total += one.u.Size; total <= userlandsKept {
			continue
		}
		err := s.locked(ctx, one.key, func() error { return os.RemoveAll(s.userlandDir(one.key)) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room in the kernel store: %w", err)
		}
	}
	return nil
}
