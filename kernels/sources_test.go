// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMachineSources(t *testing.T) {
	for _, file := range []string{"machine.sources", "machine.list"} {
		all, err := readSourceFiles([]string{filepath.Join("testdata", file), "testdata/none.list", "testdata/old.sources.bak"})
		if err != nil {
			t.Fatal(err)
		}
		found := findArchives(all)
		if found.Main == nil || found.Security == nil {
			t.Fatalf("%s: no archive in %+v", file, all)
		}
		golden(t, file+".golden", sourcesFile(found.suites()))
	}
}

func TestFindArchives(t *testing.T) {
	vendor := source{URI: "http://vendor.example.org/debian", Suites: []string{"bookworm"}, Components: []string{"main"}, SignedBy: "/k/vendor.gpg"}
	archive := source{URI: "http://a.example.org/debian", Suites: []string{"bookworm"}, Components: []string{"main"}, SignedBy: "/k/debian-archive-keyring.gpg"}
	updates := source{URI: "http://b.example.org/debian", Suites: []string{"stable", "stable-updates"}, Components: []string{"main"}}
	other := source{URI: "http://c.example.org/ubuntu", Suites: []string{"noble", "noble-security"}, Components: []string{"main"}}
	noMain := source{URI: "http://d.example.org/debian", Suites: []string{"bookworm"}, Components: []string{"stable"}}
	for _, c := range []struct {
		all  []source
		want string
	}{
		{[]source{vendor, archive}, archive.URI},
		{[]source{archive, vendor}, archive.URI},
		{[]source{vendor, updates}, updates.URI},
		{[]source{other, noMain}, ""},
		{nil, ""},
	} {
		got := ""
		if found := findArchives(c.all); found.Main != nil {
			got = found.Main.URI
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.all, got, c.want)
		}
	}
}

func TestNoSecurityArchive(t *testing.T) {
	main := &source{URI: "http://a.example.org/debian"}
	if text := sourcesFile(archives{Main: main}.suites()); strings.Contains(text, "-security") || strings.Contains(text, "Signed-By") {
		t.Error(text)
	}
}

// TestAptConfig holds what must not be lost: no unsigned lists, whatever the
// machine allows.
func TestAptConfig(t *testing.T) {
	text := apt{dir: "/store/apt"}.config()
	for _, want := range []string{
		`APT::Get::AllowUnauthenticated "false";`, `Acquire::AllowInsecureRepositories "false";`,
		`Acquire::AllowWeakRepositories "false";`, `Acquire::AllowDowngradeToInsecureRepositories "false";`,
		`Dir::State "/store/apt/state";`, `Dir::Cache "/store/apt/cache";`, `Dir::Etc::sourceparts "/store/apt/sources";`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// What speaks to a mirror is not root, wherever the private state is.
func TestAptConfigOfRoot(t *testing.T) {
	text := apt{dir: "/root/store/apt", user: "_apt"}.config()
	for _, want := range []string{`APT::Sandbox::User "_apt";`, `Dir::State "/proc/self/fd/3/state";`, `APT::Keep-Fds { "3"; };`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "/root") {
		t.Errorf("apt's user cannot go there:\n%s", text)
	}
}

func TestReason(t *testing.T) {
	said := "W: other\nE: The repository 'http://m.example.org/debian forky-backports Release' does not have a Release file.\n" +
		"W: Failed to fetch http://m.example.org/debian/dists/sid/InRelease  timed out\n"
	for suite, want := range map[string]string{"forky-backports": "Release file", "sid": "timed out", "forky": "no list"} {
		if got := reason(said, suite); !strings.Contains(got, want) {
			t.Errorf("%s: %s", suite, got)
		}
	}
}

func FuzzParseSources(f *testing.F) {
	for _, file := range []string{"testdata/machine.sources", "testdata/machine.list"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parseSources(data)
		if err != nil {
			return
		}
		for _, s := range append(all, parseList(data)...) {
			one := []suite{{"sid", &s}}
			again, err := parseSources([]byte(sourcesFile(one)))
			if err != nil || len(again) != 1 {
				t.Fatalf("%+v is written as\n%s\nand read as %+v, %v", s, sourcesFile(one), again, err)
			}
			want := source{URI: s.URI, Suites: []string{"sid"}, Components: []string{"main"}, SignedBy: s.SignedBy}
			if diff := cmp.Diff(want, again[0]); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func FuzzReadStanzas(f *testing.F) {
	f.Add([]byte("Package: a\nDepends: b,\n c\n\n\nPackage: d\n# x\n: y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := readStanzas(bytes.NewReader(data), func(s stanza) {
			if len(s) == 0 {
				t.Fatal("an empty stanza")
			}
		})
		if err != nil && len(data) < maxLine {
			t.Fatal(err)
		}
	})
}
