// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeApt is a machine with apt that is no Debian and reaches no mirror.
func fakeApt(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "other.list"), []byte("deb http://a.example.org/ubuntu noble main\n"))
	for name, text := range map[string]string{
		"apt-config": "echo \"LIST='" + dir + "/other.list'\"",
		"apt-get":    "[ $3 = update ] && { echo no route to the mirror >&2; exit 100; }; exit 0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestNoArchive(t *testing.T) {
	fakeApt(t)
	s, err := Open(t.TempDir(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Resolve(t.Context(), mustParse(t, "debian:6.1"))
	if !errors.Is(err, ErrNoArchive) || !strings.Contains(err.Error(), "name one in "+s.sourcesFile()) || !strings.Contains(err.Error(), "path:DIR") {
		t.Errorf("without an archive: %v", err)
	}
	put(t, s.sourcesFile(), []byte("Types: deb\nURIs: http://b.example.org/debian\nSuites: bookworm\nComponents: main\nSigned-By: /k.gpg\n"))
	if _, err = s.Resolve(t.Context(), mustParse(t, "debian:6.1")); err == nil || errors.Is(err, ErrNoArchive) || !strings.Contains(err.Error(), "no route to the mirror") {
		t.Errorf("with one that cannot be reached: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "apt/sources/skleak.sources"))
	if err != nil || !strings.Contains(string(text), "URIs: http://b.example.org/debian\nSuites: bullseye\n") {
		t.Errorf("apt is told %s, %v", text, err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := os.Remove(s.sourcesFile()); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Resolve(t.Context(), mustParse(t, "debian:6.1")); err == nil || !strings.Contains(err.Error(), "need apt and dpkg") {
		t.Errorf("without apt: %v", err)
	}
}
