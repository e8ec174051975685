// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStoreLimit(t *testing.T) {
	first, _ := fakePair(t)
	second, dir := fakePair(t)
	image := append(fakeImage(payloads(t, fakeVmlinux(t))["zstd"], fakeRelease), make([]byte, 8<<10)...)
	put(t, filepath.Join(dir, "vmlinuz-"+fakeRelease), image)
	// A bzImage is taken to unpack to five times its size: the second fits just
	// alone.
	room := int64(5 * len(image))
	s, err := Open(t.TempDir(), Limits{Bytes: room})
	if err != nil {
		t.Fatal(err)
	}
	k := fetchOne(t, s, first)
	_, err = s.Fetch(t.Context(), resolveOne(t, s, second), nil)
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Limit != room || limit.Used != k.Size || len(limit.Stored) != 1 {
		t.Fatalf("%v %+v", err, limit)
	}
	if text := err.Error(); !strings.Contains(text, "remove "+string(k.Name)) || !strings.Contains(text, "raise the limit") {
		t.Error(text)
	}
	if err := s.Remove(t.Context(), k.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), resolveOne(t, s, second), nil); err != nil {
		t.Errorf("after a removal: %v", err)
	}
}

// TestLimitCountsFetchesUnderWay: what another fetch has booked is used.
func TestLimitCountsFetchesUnderWay(t *testing.T) {
	s, err := Open(t.TempDir(), Limits{Bytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.reserve(t.Context(), "debian:6.1.1/amd64", 600, 0); err != nil {
		t.Fatal(err)
	}
	var limit *LimitError
	if err := s.reserve(t.Context(), "debian:6.1.2/amd64", 600, 0); !errors.As(err, &limit) || limit.Used != 600 {
		t.Errorf("%v", err)
	}
	if err := s.reserve(t.Context(), "debian:6.1.1/amd64", 900, 0); err != nil {
		t.Errorf("booked against itself: %v", err)
	}
	s.limits.Bytes = 1 << 62
	if err := s.reserve(t.Context(), "debian:6.1.2/amd64", 1<<60, 0); !errors.As(err, &limit) || !limit.Disk {
		t.Errorf("more than any disk: %v", err)
	}
}

func TestShowAndRemove(t *testing.T) {
	s := openStore(t)
	spec, _ := fakePair(t)
	k := fetchOne(t, s, spec)
	if _, err := s.Show(k.Name); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), k.Name); err != nil {
		t.Error(err)
	}
	if _, err := s.Show(k.Name); !errors.Is(err, ErrNotStored) {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), k.Name); !errors.Is(err, ErrNotStored) {
		t.Error(err)
	}
	if all, err := s.List(); err != nil || len(all) > 0 {
		t.Error(all, err)
	}
}

func TestChecks(t *testing.T) {
	s := openStore(t)
	spec, _ := fakePair(t)
	k := fetchOne(t, s, spec)
	content, err := os.ReadFile(k.Vmlinux)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(k.Vmlinux)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1]++
	put(t, k.Vmlinux, content)
	if _, err := s.Show(k.Name); !errors.Is(err, ErrChanged) {
		t.Errorf("rewritten: %v", err)
	}
	// With the old time only the full check sees it.
	if err := os.Chtimes(k.Vmlinux, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Show(k.Name); err != nil {
		t.Errorf("the cheap check: %v", err)
	}
	if err := k.Verify(t.Context()); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("the full check: %v", err)
	}
}

func TestSweep(t *testing.T) {
	s := openStore(t)
	for _, name := range []Name{"debian:6.1.1/amd64", "debian:6.1.2/amd64"} {
		put(t, filepath.Join(s.tmpDir(name), "modules/a.ko"), []byte("half"))
	}
	busy := Name("debian:6.1.2/amd64")
	err := s.locked(t.Context(), busy.folder(), func() error {
		_, err := Open(s.Dir(), Limits{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(s.Dir(), "tmp"))
	if err != nil || len(left) != 1 || left[0].Name() != busy.folder() {
		t.Errorf("left %v, %v; want only the fetch under way", left, err)
	}
}

func TestTwoFetchesAtOnce(t *testing.T) {
	s := openStore(t)
	spec, _ := fakePair(t)
	name := resolveOne(t, s, spec)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			other, err := Open(s.Dir(), Limits{})
			if err == nil {
				_, err = other.Fetch(t.Context(), name, nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	k, err := s.Show(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLockHonoursContext(t *testing.T) {
	s := openStore(t)
	spec, _ := fakePair(t)
	name := resolveOne(t, s, spec)
	err := s.locked(t.Context(), name.folder(), func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := s.Fetch(ctx, name, nil)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	s := openStore(t)
	for _, name := range []Name{"debian:6.12/amd64", "debian:6.1..7.3/amd64", "debian:6.1.2/amd64+bug", "nonsense"} {
		if _, err := s.Fetch(t.Context(), name, nil); err == nil {
			t.Errorf("%s passes as the name of one kernel", name)
		}
	}
	_, err := s.Resolve(t.Context(), mustParse(t, "debian:6.1+tun-no-orphan"))
	var mutant *NoMutantError
	if !errors.As(err, &mutant) || !strings.Contains(err.Error(), `no such mutant "tun-no-orphan" of debian:6.1/amd64`) {
		t.Error(err)
	}
}
