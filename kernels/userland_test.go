// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func emptyStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJoinPackages(t *testing.T) {
	one := fakeDeb(t, map[string][]byte{"usr/bin/one": []byte("1"), "usr/share/doc/one/README": []byte("words")})
	two := fakeDeb(t, map[string][]byte{"usr/bin/two": []byte("2"), "etc/two": []byte("set")})
	file := filepath.Join(t.TempDir(), "root.tar")
	size, err := joinPackages(t.Context(), file, []string{one, two})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Size() != size {
		t.Errorf("%d bytes, told %d, %v", st.Size(), size, err)
	}
	got := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := got[h.Name]; again {
			t.Errorf("%s is there twice", h.Name)
		}
		got[h.Name] = string(data)
	}
	if got["usr/bin/one"] != "1" || got["usr/bin/two"] != "2" || got["etc/two"] != "set" {
		t.Errorf("%q", got)
	}
	if _, there := got["usr/share/doc/one/README"]; there {
		t.Error("a manual is in it")
	}
}

// A package that is no package leaves no file to be taken for a userland.
func TestJoinPackagesRefuses(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken_1_amd64.deb")
	put(t, broken, []byte("no package"))
	if _, err := joinPackages(t.Context(), filepath.Join(t.TempDir(), "root.tar"), []string{broken}); err == nil || !strings.Contains(err.Error(), "broken_1_amd64.deb") {
		t.Errorf("got %v", err)
	}
}

func TestUnreadFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"usr/share/doc": true, "usr/share/man/man1/ip.1.gz": true, "usr/share/docs": false, "usr/share/yang/frr.yang": false,
	} {
		if unread(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

// What is named is installed, though others need it only for their scripts.
func TestStatusOf(t *testing.T) {
	text := statusOf([]string{"debconf"})
	if strings.Contains(text, "Package: debconf\n") || !strings.Contains(text, "Package: dpkg\n") {
		t.Error(text)
	}
}

func TestRefusedPackages(t *testing.T) {
	w := Wanted{Suite: "bookworm", Packages: []string{"frr", "nonesuch"}}
	for said, want := range map[string]bool{
		"E: Unable to locate package nonesuch":                     true,
		"E: Package 'frr' has no installation candidate":           true,
		"E: Unable to locate package nonesuch-too":                 false,
		"E: Unable to correct problems, you have held broken ones": false,
	} {
		var unknown *UnknownPackageError
		if got := errors.As(w.refused(&CommandError{Command: "apt-get", Said: said, Err: errors.New("exit status 100")}), &unknown); got != want {
			t.Errorf("%s: %t", said, got)
		}
	}
}

func TestUserlandNamesAreChecked(t *testing.T) {
	s := emptyStore(t)
	for _, name := range []string{"-o", "--with", "a b", "FRR", ""} {
		if _, err := s.Userland(t.Context(), Wanted{Packages: []string{name}}, nil); err == nil || !strings.Contains(err.Error(), "a Debian package's name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// The oldest userlands go when all take too much; the one in hand stays.
func TestPruneUserlands(t *testing.T) {
	s := emptyStore(t)
	for i, key := range []string{"userland-c", "userland-b", "userland-a"} {
		u := &Userland{Size: userlandsKept/2 + 1, Made: time.Date(2026, 1, 9-i, 0, 0, 0, 0, time.UTC)}
		work := filepath.Join(s.dir, "tmp", key)
		put(t, filepath.Join(work, userlandTar), nil)
		if err := os.Truncate(filepath.Join(work, userlandTar), u.Size); err != nil {
			t.Fatal(err)
		}
		if _, err := s.publishUserland(u, work, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.pruneUserlands(t.Context(), "userland-a"); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"userland-a": true, "userland-b": false, "userland-c": true} {
		if _, err := s.loadUserland(key); (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestUserland takes a package of the machine's own suite.
func TestUserland(t *testing.T) {
	s := aptStore(t)
	u, err := s.Userland(t.Context(), Wanted{Packages: []string{"iproute2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Userland(t.Context(), Wanted{Packages: []string{"iproute2"}}, nil)
	if err != nil || !again.Made.Equal(u.Made) {
		t.Errorf("made again: %v, %v, %v", u.Made, again, err)
	}
	var unknown *UnknownPackageError
	if _, err := s.Userland(t.Context(), Wanted{Packages: []string{"skleak-nonesuch"}}, nil); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Userland(t.Context(), Wanted{Suite: "warty", Packages: []string{"iproute2"}}, nil); err == nil || !strings.Contains(err.Error(), "no suite") {
		t.Errorf("got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(), "tmp", "userland-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
