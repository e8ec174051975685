// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

func someCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	f, err := os.Open("testdata/packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []stanza
	if err := readStanzas(f, func(s stanza) { all = append(all, s) }); err != nil {
		t.Fatal(err)
	}
	return &Catalogue{Releases: releases(all)}
}

func TestReleases(t *testing.T) {
	text, err := json.MarshalIndent(someCatalogue(t).Releases, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "releases.golden", string(text)+"\n")
}

func TestMatch(t *testing.T) {
	c := someCatalogue(t)
	for _, test := range []struct{ spec, want string }{
		{"debian:6.1", "debian:6.1.192/amd64"},
		{"debian:6.1/cloud", "debian:6.1.192/cloud"},
		{"debian:6.12.43", "debian:6.12.43/amd64"},
		{"debian:7.3", "debian:7.3~rc7/amd64"},
		{"debian:6.1..7.3", "debian:6.1.192/amd64 debian:6.12.43/amd64 debian:6.18.15/amd64 debian:7.3~rc7/amd64"},
		{"debian:6.2..6.18.2", "debian:6.12.43/amd64"},
	} {
		found, err := c.match(mustParse(t, test.spec))
		if err != nil {
			t.Errorf("%s: %v", test.spec, err)
			continue
		}
		var got []string
		for _, r := range found {
			got = append(got, string(r.Name))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.spec, s, test.want)
		}
	}
}

func TestMatchGone(t *testing.T) {
	c := someCatalogue(t)
	for _, test := range []struct{ spec, nearest string }{
		{"debian:6.12.44", "debian:6.12.43/amd64 and debian:6.18.15/amd64"},
		{"debian:5.10", "nearest are debian:6.1.192/amd64"},
		{"debian:9.1", "nearest are debian:7.3~rc7/amd64"},
	} {
		_, err := c.match(mustParse(t, test.spec))
		var gone *GoneError
		if !errors.As(err, &gone) || !strings.Contains(err.Error(), test.nearest) {
			t.Errorf("%s: %v, want %s", test.spec, err, test.nearest)
		}
	}
	_, err := c.match(mustParse(t, "debian:7.1"))
	if err == nil || !strings.Contains(err.Error(), "linux-modules-7.1.3+deb14-amd64") {
		t.Errorf("a release without its modules: %v", err)
	}
}

func mustParse(t testing.TB, s string) Spec {
	t.Helper()
	spec, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func FuzzReleases(f *testing.F) {
	f.Add("linux-image-6.1.0-56-amd64", "6.1.192-2", "linux-binary-6.1.0-56-amd64 (= 1)")
	f.Add("linux-image-7.3-cloud-amd64-unsigned", "7.3~rc7-1~exp1", "")
	f.Fuzz(func(t *testing.T, pkg, version, depends string) {
		for _, r := range releases([]stanza{{"package": pkg, "version": version, "depends": depends}}) {
			if _, err := r.Name.spec(); err != nil || !r.Version.Whole() {
				t.Fatalf("%q %q gives %s: %v", pkg, version, r.Name, err)
			}
		}
	})
}
