// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// aptStore opens a store with the mirror's catalogue in it: a fresh one, or
// that of SKLEAK_STORE, which spares asking the mirror again. Without apt, a
// Debian archive or a mirror in reach it skips.
func aptStore(t *testing.T) *Store {
	t.Helper()
	if testing.Short() {
		t.Skip("fetches from the Debian mirror; -short leaves that out")
	}
	dir := os.Getenv("SKLEAK_STORE")
	if dir == "" {
		dir = t.TempDir()
		t.Setenv("SKLEAK_STORE", dir) // for the child that is killed
	}
	s, err := Open(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Available(t.Context())
	var apt *CommandError
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, ErrNoArchive) || errors.As(err, &apt) {
		t.Skipf("apt reaches no Debian mirror: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Releases) == 0 || len(c.Suites) == 0 {
		t.Fatalf("an empty catalogue: %+v", c)
	}
	return s
}

// TestDebian runs over the real mirror, with the smallest kernel there is.
func TestDebian(t *testing.T) {
	s := aptStore(t)
	name := resolveOne(t, s, "debian:5.10/cloud")
	if err := s.Remove(t.Context(), name); err != nil && !errors.Is(err, ErrNotStored) {
		t.Fatal(err)
	}
	t.Run("gone", func(t *testing.T) { testGone(t, s) })
	t.Run("limit", func(t *testing.T) { testLimitBeforeDownload(t, s.Dir(), name) })
	t.Run("killed", func(t *testing.T) { testKilled(t, s.Dir(), name) })
	t.Run("at once", func(t *testing.T) { testAtOnce(t, s.Dir(), name) })
	t.Run("kernel", func(t *testing.T) { testCloudKernel(t, s, name) })
	t.Run("offline", func(t *testing.T) { testOffline(t, s, name) })
}

func testGone(t *testing.T, s *Store) {
	_, err := s.Resolve(t.Context(), mustParse(t, "debian:6.12.1"))
	var gone *GoneError
	if !errors.As(err, &gone) || len(gone.Nearest) != 2 {
		t.Errorf("6.12.1: %v", err)
	}
}

func testLimitBeforeDownload(t *testing.T, dir string, name Name) {
	s, err := Open(dir, Limits{Bytes: 10 << 20})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Fetch(t.Context(), name, func(p Progress) { t.Errorf("it went as far as %s", p.Step) })
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Error(err)
	}
}

// testKilled kills a fetch as soon as it has modules unpacked.
func testKilled(t *testing.T, dir string, name Name) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), "KERNELS_TEST_FETCH="+string(name))
	var said strings.Builder
	child.Stderr = &said
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "tmp", name.folder(), modulesTree, "kernel")
	for firstFolder(half) == "" && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatalf("the fetch ended by itself: %v: %s", err, said.String())
	}
	_ = child.Wait() // it was killed
	if firstFolder(half) == "" {
		t.Fatalf("no half kernel to sweep: %s", said.String())
	}
	s, err := Open(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Show(name); !errors.Is(err, ErrNotStored) {
		t.Errorf("after the kill: %v", err)
	}
	if left := firstFolder(filepath.Join(dir, "tmp")); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

func firstFolder(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return ""
	}
	return entries[0].Name()
}

func testAtOnce(t *testing.T, dir string, name Name) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			s, err := Open(dir, Limits{})
			if err == nil {
				_, err = s.Fetch(t.Context(), name, nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testCloudKernel(t *testing.T, s *Store, name Name) {
	k, err := s.Show(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if !k.PVH || !strings.HasPrefix(k.Release, "5.10.") || !strings.HasSuffix(k.Release, "-cloud-amd64") || len(k.Packages) != 1 {
		t.Errorf("PVH %v, release %s, packages %v", k.PVH, k.Release, k.Packages)
	}
	if _, err := k.LoadOrder("tun", "rtnl-link-vxlan", "wireguard", "nf_tables", "sch_tbf", "virtio_console"); err != nil {
		t.Error(err)
	}
	var unknown *UnknownModuleError
	if _, err := k.LoadOrder("e100"); !errors.As(err, &unknown) {
		t.Errorf("e100 in the cloud flavour: %v", err)
	}
	estimated, _ := estimate(k.Packages)
	if k.Size > estimated || k.Size < estimated/2 {
		t.Errorf("it takes %d bytes, %d were estimated", k.Size, estimated)
	}
}

// testOffline: what the store has needs no mirror.
func testOffline(t *testing.T, s *Store, name Name) {
	t.Setenv("PATH", t.TempDir())
	if got := resolveOne(t, s, "debian:5.10/cloud"); got != name {
		t.Errorf("the series is %s, want %s", got, name)
	}
	if got := resolveOne(t, s, strings.TrimSuffix(string(name), "/cloud")+"/cloud"); got != name {
		t.Errorf("the kernel is %s", got)
	}
	if _, err := s.Fetch(t.Context(), name, nil); err != nil {
		t.Error(err)
	}
	_, err := s.Resolve(t.Context(), mustParse(t, "debian:4.19"))
	if err == nil || !strings.Contains(err.Error(), "mirror cannot be asked") {
		t.Errorf("4.19: %v", err)
	}
}
