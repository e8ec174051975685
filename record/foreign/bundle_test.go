// SPDX-License-Identifier: GPL-2.0-only

package foreign_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"skleak/record/foreign"
)

// member is a file of a bundle made for a test.
type member struct {
	name, text string
	kind       byte
}

// bundled writes a bundle.
func bundled(t *testing.T, members ...member) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "bundle.tar.zst")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, m := range members {
		head := &tar.Header{Name: m.name, Typeflag: m.kind, Mode: 0o644, Size: int64(len(m.text))}
		if m.kind != tar.TypeReg {
			head.Size, head.Linkname = 0, m.text
		}
		if err := w.WriteHeader(head); err != nil {
			t.Fatal(err)
		}
		if m.kind == tar.TypeReg {
			if _, err := w.Write([]byte(m.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

func file(name, text string) member { return member{"b/" + name, text, tar.TypeReg} }

func sums(members ...member) member {
	var b strings.Builder
	for _, m := range members {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256([]byte(m.text)), strings.TrimPrefix(m.name, "b/"))
	}
	return file("SUMS", b.String())
}

func unpack(t *testing.T, name string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	return dir, foreign.Unpack(t.Context(), name, dir, "b", "SUMS")
}

func TestUnpack(t *testing.T) {
	a, b := file("a", "one"), file("run/x/y/b", "two")
	name := bundled(t, a, b, sums(a, b))
	if !foreign.IsBundle(name) {
		t.Error("it is no bundle")
	}
	dir, err := unpack(t, name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "run/x/y/b")); err != nil || string(got) != "two" {
		t.Errorf("%q %v", got, err)
	}
}

// TestUnpackRefuses what is not whole, and what would lead elsewhere.
func TestUnpackRefuses(t *testing.T) {
	a := file("a", "one")
	outside := member{"b/../../evil", "x", tar.TypeReg}
	for name, c := range map[string]struct {
		members []member
		want    string
	}{
		"changed":                     {[]member{file("a", "ONE"), sums(a)}, `"a" is missing or was changed`},
		"missing":                     {[]member{sums(a)}, `"a" is missing or was changed`},
		"not listed":                  {[]member{a, file("b", "x"), sums(a)}, `"b" has no checksum`},
		"no sums":                     {[]member{a}, "SUMS is missing"},
		"empty":                       {nil, "SUMS is missing"},
		"twice":                       {[]member{a, a, sums(a)}, "each file once"},
		"outside":                     {[]member{outside, sums(outside)}, "each file once, below b/"},
		"absolute":                    {[]member{{"/etc/x", "x", tar.TypeReg}, sums(a)}, "below b/"},
		"other folder":                {[]member{{"c/a", "x", tar.TypeReg}, sums(a)}, "below b/"},
		"symbolic link":               {[]member{{"b/a", "/etc/passwd", tar.TypeSymlink}, sums(a)}, "below b/"},
		"hard link":                   {[]member{a, {"b/c", "b/a", tar.TypeLink}, sums(a)}, "below b/"},
		"device":                      {[]member{{"b/a", "", tar.TypeChar}, sums(a)}, "below b/"},
		"file and folder of one name": {[]member{a, file("a/b", "x"), sums(a)}, "a: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := unpack(t, bundled(t, c.members...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "evil")); err == nil {
				t.Error("something was written outside")
			}
		})
	}
}

func TestUnpackCutOrGarbled(t *testing.T) {
	a := file("a", strings.Repeat("one", 1000))
	name := bundled(t, a, sums(a))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		cut := filepath.Join(t.TempDir(), "cut")
		if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := unpack(t, cut); err == nil {
			t.Fatalf("cut after %d of %d bytes, it is taken", n, len(whole))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := foreign.Unpack(ctx, name, t.TempDir(), "b", "SUMS"); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	if foreign.IsBundle(filepath.Join(t.TempDir(), "none")) || foreign.IsBundle(t.TempDir()) || foreign.IsBundle("/dev/zero") {
		t.Error("what is no bundle is one")
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = foreign.Unpack(t.Context(), name, t.TempDir(), "b", "SUMS")
	})
}
