// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeDeb builds a package of the files with dpkg-deb.
func fakeDeb(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "DEBIAN/control"), []byte("Package: linux-image-fake\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@example.org>\nDescription: a fake\n"))
	for name, content := range files {
		put(t, filepath.Join(dir, name), content)
	}
	file := filepath.Join(t.TempDir(), "fake.deb")
	if out, err := exec.Command("dpkg-deb", "--build", dir, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v: %s", err, out)
	}
	return file
}

func openBuilder(t *testing.T) *builder {
	t.Helper()
	b, err := newBuilder("debian:6.12.43/amd64", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestUnpackDeb(t *testing.T) {
	for layout, at := range map[string]struct{ image, config, modules string }{
		"to 6.18":   {"boot/vmlinuz-x", "boot/config-x", "usr/lib/modules/x/"},
		"old lib":   {"boot/vmlinuz-x", "boot/config-x", "lib/modules/x/"},
		"from 6.19": {"usr/lib/modules/x/vmlinuz", "usr/lib/modules/x/config", "usr/lib/modules/x/"},
	} {
		t.Run(layout, func(t *testing.T) {
			module := fakeModule(t, "name=tun", "vermagic="+fakeRelease+" SMP")
			file := fakeDeb(t, map[string][]byte{
				at.image:                                fakeImage(payloads(t, fakeVmlinux(t))["xz"], fakeRelease),
				at.config:                               []byte("CONFIG_TUN=m\n"),
				"boot/System.map-x":                     []byte("ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n"),
				at.modules + "kernel/net/tun.ko.xz":     packTool(t, module, "xz", "--check=crc32"),
				at.modules + "modules.builtin":          []byte("kernel/net/8021q/8021q.ko\n"),
				"usr/share/doc/linux-image-x/copyright": []byte("no part of a kernel"),
			})
			b := openBuilder(t)
			if err := unpackDeb(t.Context(), b, file); err != nil {
				t.Fatal(err)
			}
			if err := b.finish(); err != nil {
				t.Fatal(err)
			}
			k, err := loadKernel(b.dir)
			if err != nil {
				t.Fatal(err)
			}
			if k.Release != fakeRelease || k.SystemMap != "" || len(k.Checksums) != 4 {
				t.Errorf("%+v", k)
			}
			order, err := k.LoadOrder("tun", "8021q")
			if err != nil || len(order) != 1 {
				t.Fatal(order, err)
			}
			if got, err := os.ReadFile(order[0].File); err != nil || !bytes.Equal(got, module) {
				t.Errorf("%s: %v", order[0].File, err)
			}
			if err := k.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnpackDebRefuses(t *testing.T) {
	good := fakeDeb(t, map[string][]byte{"boot/vmlinuz-x": bytes.Repeat([]byte("no kernel "), 1<<15)})
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.deb")
	put(t, cut, content[:len(content)-20])
	for name, c := range map[string]struct{ file, want string }{
		"cut short":  {cut, "dpkg-deb"},
		"no deb":     {"/dev/null", "dpkg-deb"},
		"no kernel":  {good, "not an x86 bzImage"},
		"bad module": {fakeDeb(t, map[string][]byte{"lib/modules/x/a.ko": []byte("text")}), "not a module"},
		"bad xz":     {fakeDeb(t, map[string][]byte{"lib/modules/x/a.ko.xz": []byte("\xfd7zXZ\x00text")}), "xz:"},
	} {
		err := unpackDeb(t.Context(), openBuilder(t), c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestFinishRefuses(t *testing.T) {
	b := openBuilder(t)
	if err := b.finish(); err == nil || !strings.Contains(err.Error(), "no kernel image") {
		t.Error(err)
	}
}

// TestTarPaths: a package cannot write outside its folder.
func TestTarPaths(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	module := fakeModule(t, "name=evil")
	for _, name := range []string{"../../lib/modules/x/../../../../evil.ko", "/lib/modules/x/../evil.ko", "lib/modules/x/good.ko"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(module)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(module); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := openBuilder(t)
	if err := readTar(t.Context(), b, &archive); err != nil {
		t.Fatal(err)
	}
	if len(b.index.All) != 1 || b.index.All[0].File != "modules/good.ko" {
		t.Errorf("%+v", b.index.All)
	}
}

func FuzzReadTar(f *testing.F) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	content := []byte("CONFIG_TUN=m\n")
	if err := w.WriteHeader(&tar.Header{Name: "boot/config-x", Typeflag: tar.TypeReg, Size: int64(len(content))}); err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(archive.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := newBuilder("debian:6.12.43/amd64", t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		_ = readTar(t.Context(), b, bytes.NewReader(data))
	})
}
