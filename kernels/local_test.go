// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const fakeRelease = "6.12.43-fake"

// fakePair puts a bzImage and a folder of modules, some of them compressed,
// into a fresh folder and gives its spec.
func fakePair(t *testing.T) (spec, dir string) {
	t.Helper()
	dir = t.TempDir()
	magic := "vermagic=" + fakeRelease + " SMP preempt"
	put(t, filepath.Join(dir, "vmlinuz-"+fakeRelease), fakeImage(payloads(t, fakeVmlinux(t))["zstd"], fakeRelease))
	put(t, filepath.Join(dir, "config-"+fakeRelease), []byte("CONFIG_TUN=m\n"))
	modules := filepath.Join(dir, "modules")
	zst := func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }
	gz := func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }
	put(t, filepath.Join(modules, "kernel/net/udp_tunnel.ko.xz"), packTool(t, fakeModule(t, "name=udp_tunnel", magic), "xz", "--check=crc32", "--lzma2=dict=1MiB"))
	put(t, filepath.Join(modules, "kernel/net/ip6_udp_tunnel.ko.gz"), packWith(t, fakeModule(t, "name=ip6_udp_tunnel", magic), gz))
	put(t, filepath.Join(modules, "kernel/drivers/net/vxlan.ko.zst"), packWith(t, fakeModule(t, "name=vxlan", "depends=udp_tunnel,ip6_udp_tunnel", magic), zst))
	put(t, filepath.Join(modules, "kernel/drivers/net/dummy.ko"), fakeModule(t, "alias=rtnl-link-dummy", "alias=pci:v00008086*", magic))
	put(t, filepath.Join(modules, "modules.builtin"), []byte("kernel/net/8021q/8021q.ko\n"))
	put(t, filepath.Join(modules, "modules.builtin.modinfo"), []byte("8021q.alias=rtnl-link-vlan\x00"))
	return "file:" + filepath.Join(dir, "vmlinuz-"+fakeRelease) + "," + modules, dir
}

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// resolveOne resolves a spec that means one kernel.
func resolveOne(t *testing.T, s *Store, spec string) Name {
	t.Helper()
	names, err := s.Resolve(t.Context(), mustParse(t, spec))
	if err != nil || len(names) != 1 {
		t.Fatalf("%s: %v, %v", spec, names, err)
	}
	return names[0]
}

func fetchOne(t *testing.T, s *Store, spec string) *Kernel {
	t.Helper()
	k, err := s.Fetch(t.Context(), resolveOne(t, s, spec), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFetchPair(t *testing.T) {
	spec, dir := fakePair(t)
	s := openStore(t)
	k := fetchOne(t, s, spec)
	if k.Release != fakeRelease || !k.PVH || k.Config != filepath.Join(dir, "config-"+fakeRelease) || k.SystemMap != "" {
		t.Errorf("%+v", k)
	}
	if !strings.HasPrefix(k.Vmlinux, s.Dir()) || k.ModulesDir != filepath.Join(dir, "modules") {
		t.Errorf("vmlinux %s, modules %s", k.Vmlinux, k.ModulesDir)
	}
	order, err := k.LoadOrder("vxlan", "rtnl-link-dummy", "rtnl-link-vlan")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range order {
		got = append(got, m.Name)
		content, err := m.Read()
		if err != nil {
			t.Error(err)
		}
		if !isELF(strings.NewReader(string(content))) {
			t.Errorf("%s reads as no ELF", m.Name)
		}
	}
	if text := strings.Join(got, " "); text != "udp_tunnel ip6_udp_tunnel vxlan dummy" {
		t.Error(text)
	}
	again := fetchOne(t, s, spec)
	if !again.Fetched.Equal(k.Fetched) || again.Vmlinux != k.Vmlinux {
		t.Error("fetched anew though nothing changed")
	}
	if err := k.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPairIsReadAnewWhenItChanges(t *testing.T) {
	spec, dir := fakePair(t)
	s := openStore(t)
	k := fetchOne(t, s, spec)
	put(t, filepath.Join(dir, "modules/extra/tun.ko"), fakeModule(t, "name=tun", "vermagic="+fakeRelease+" SMP"))
	if _, err := k.LoadOrder("tun"); err == nil {
		t.Error("a module that was not there is known")
	}
	if _, err := fetchOne(t, s, spec).LoadOrder("tun"); err != nil {
		t.Error(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "modules/extra/tun.ko"), later, later); err != nil {
		t.Fatal(err)
	}
	name := resolveOne(t, s, spec)
	if _, err := s.Show(name); !errors.Is(err, ErrChanged) {
		t.Errorf("Show after a change: %v", err)
	}
	fetchOne(t, s, spec)
	if all, err := s.List(); err != nil || len(all) != 1 {
		t.Errorf("%d kernels, %v", len(all), err)
	}
}

func TestPairRefuses(t *testing.T) {
	spec, dir := fakePair(t)
	s := openStore(t)
	put(t, filepath.Join(dir, "modules/extra/tun.ko"), fakeModule(t, "name=tun", "vermagic=5.10.0-other SMP"))
	put(t, filepath.Join(dir, "text"), []byte("no kernel"))
	for in, want := range map[string]string{
		spec: "module tun is for 5.10.0-other",
		"file:" + filepath.Join(dir, "none") + "," + dir:         "is no file",
		"file:" + filepath.Join(dir, "text") + "," + dir:         "not an x86 bzImage",
		"file:" + filepath.Join(dir, "text") + "," + dir + "/no": "no such file",
		"path:" + dir: "build it first",
	} {
		_, err := s.Fetch(t.Context(), resolveOne(t, s, in), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
	left, err := os.ReadDir(filepath.Join(s.Dir(), "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFetchTree(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "vmlinux"), fakeELF(t, nil, nil))
	put(t, filepath.Join(dir, ".config"), []byte("# CONFIG_PVH is not set\n"))
	put(t, filepath.Join(dir, "System.map"), []byte("ffffffff81000000 T _text\n"))
	put(t, filepath.Join(dir, "include/config/kernel.release"), []byte(fakeRelease+"\n"))
	put(t, filepath.Join(dir, "modules.order"), []byte("kernel/net/old.ko\ndrivers/net/tun.o\ndrivers/net/lost.ko\n"))
	put(t, filepath.Join(dir, "modules.builtin"), []byte("kernel/net/8021q/8021q.ko\n"))
	put(t, filepath.Join(dir, "net/old.ko"), fakeModule(t, "name=old"))
	put(t, filepath.Join(dir, "net/stale.ko"), fakeModule(t, "name=stale"))
	put(t, filepath.Join(dir, "drivers/net/tun.ko"), fakeModule(t, "name=tun", "vermagic="+fakeRelease+" SMP"))
	k := fetchOne(t, openStore(t), "path:"+dir)
	if k.Release != fakeRelease || k.PVH || k.Vmlinux != filepath.Join(dir, "vmlinux") || k.SystemMap == "" || k.Config == "" {
		t.Errorf("%+v", k)
	}
	if notes := strings.Join(k.Notes, "\n"); !strings.Contains(notes, "CONFIG_PVH") || !strings.Contains(notes, "1 modules of modules.order") {
		t.Error(notes)
	}
	if _, err := k.LoadOrder("tun", "old", "8021q"); err != nil {
		t.Error(err)
	}
	if _, err := k.LoadOrder("stale"); err == nil {
		t.Error("a module of an earlier build is taken")
	}
}
