// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/kernels"
	"skleak/mutants"
)

func TestPick(t *testing.T) {
	all := []kernels.Package{{Name: "a", Version: "6.1.1-1"}, {Name: "a", Version: "6.1.2-1"}}
	if p, err := pick(all, "a", "6.1.2-1"); err != nil || p != all[1] {
		t.Errorf("got %v, %v", p, err)
	}
	if _, err := pick(all, "a", "6.1.3-1"); err == nil {
		t.Error("a version that is not served was found")
	}
}

func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestReadSource(t *testing.T) {
	dir := t.TempDir()
	archive := tarOf(t, map[string]string{
		"linux-source-6.1/drivers/net/tun.c":        "int x;\n",
		"linux-source-6.1/drivers/net/Makefile":     "obj-m += tun.o\n",
		"linux-source-6.1/drivers/net/Kconfig":      "config TUN\n",
		"linux-source-6.1/net/bridge/br_private.h":  "\n",
		"linux-source-6.1/drivers/gpu/x.c":          "\n",
		"linux-source-6.1/drivers/net/../../escape": "\n",
	})
	if err := readSource(t.Context(), bytes.NewReader(archive), dir); err != nil {
		t.Fatal(err)
	}
	want := []string{"drivers/net/Makefile", "drivers/net/tun.c", "net/bridge/br_private.h"}
	if diff := cmp.Diff(want, filesBelow(t, dir)); diff != "" {
		t.Error(diff)
	}
	long := tarOf(t, map[string]string{"linux-source-6.1/net/long.c": strings.Repeat("x", 600)})
	if err := readSource(t.Context(), bytes.NewReader(long[:700]), t.TempDir()); err == nil {
		t.Error("an archive cut short was taken for whole")
	}
}

func TestInnerArchive(t *testing.T) {
	if _, err := innerArchive(bytes.NewReader(tarOf(t, map[string]string{"./usr/x": ""}))); err == nil {
		t.Error("a package without a source was taken")
	}
	if _, err := innerArchive(bytes.NewReader(tarOf(t, map[string]string{"./usr/src/linux-source-6.1.tar.xz": "x"}))); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLinkFolder(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "work")
	for _, file := range []string{"device.c", "Makefile", "selftest/counter.c", "part/Makefile", "part/part.c"} {
		write(t, filepath.Join(from, file), file)
	}
	if err := linkFolder(from, to); err != nil {
		t.Fatal(err)
	}
	want := []string{"Makefile", "device.c", "selftest/counter.c"}
	if diff := cmp.Diff(want, filesBelow(t, to)); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutDebug(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "auto.conf")
	write(t, conf, "CONFIG_TUN=m\nCONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_BTF_MODULES=y\nCONFIG_VETH=m\n")
	if err := withoutDebug(conf); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(conf)
	if err != nil || string(got) != "CONFIG_TUN=m\nCONFIG_VETH=m\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStarts(t *testing.T) {
	if err := starts(t.Context(), "ldd", "/bin/true"); err != nil {
		t.Error(err)
	}
	if err := starts(t.Context(), "sh", "-c", "echo \"version 'GLIBC_2.38' not found\" >&2; exit 0"); !errors.Is(err, errNoLibrary) {
		t.Errorf("a program that lacks its libc: %v", err)
	}
}

func TestStuckProgramsAreELF(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "script"), "#!/bin/sh\n")
	write(t, filepath.Join(dir, "short"), "x")
	for _, name := range []string{"script", "short"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if stuck, err := stuckPrograms(t.Context(), dir); err != nil || len(stuck) != 0 {
		t.Errorf("got %v, %v", stuck, err)
	}
}

// TestWrap starts this machine's own true by this machine's own libraries,
// moved to another place after it was wrapped.
func TestWrap(t *testing.T) {
	now, later := filepath.Join(t.TempDir(), "now"), filepath.Join(t.TempDir(), "it's later")
	for _, name := range []string{"ld-linux-x86-64.so.2", "libc.so.6"} {
		data, err := os.ReadFile(filepath.Join("/lib/x86_64-linux-gnu", name))
		if err != nil {
			t.Skipf("this machine has no glibc where Debian has it: %v", err)
		}
		file := filepath.Join(now, "lib/x86_64-linux-gnu", name)
		write(t, file, string(data))
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "true")
	write(t, program, string(data))
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := wrap(t.Context(), program, now, later); err != nil {
		t.Fatal(err)
	}
	if err := (command{argv: []string{program}}).run(t.Context()); err == nil {
		t.Error("it starts without its libraries")
	}
	if err := os.Rename(now, later); err != nil {
		t.Fatal(err)
	}
	if err := (command{argv: []string{program}}).run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNoTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := patch(t.Context(), mutants.Mutant{Name: "m", Patch: "@@ @@"}, "tun.c", "out.c")
	if err == nil {
		t.Fatal("patched without spatch")
	}
	err = command{argv: []string{"spatch"}}.run(t.Context())
	if !errors.Is(err, ErrNoTool) || !bytes.Contains([]byte(err.Error()), []byte("apt-get install coccinelle")) {
		t.Errorf("got %v", err)
	}
}
