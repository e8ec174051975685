// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Runs that begin while others sweep: no entry of a living owner goes, and every
// one can be made.
func TestSweepersAndOwnersDoNotMeet(t *testing.T) {
	reg := Registry{dir: filepath.Join(t.TempDir(), "registry")}
	stop := make(chan struct{})
	var sweepers, owners sync.WaitGroup
	for range 2 {
		sweepers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if n, err := reg.Sweep(); err != nil {
					t.Errorf("swept %d: %v", n, err)
					return
				}
			}
		})
	}
	for range 4 {
		owners.Go(func() {
			for range 200 {
				e, err := reg.claim()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(e.path + lockSuffix); err != nil {
					t.Errorf("a living owner's entry: %v", err)
				}
				if err := e.strike(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	owners.Wait()
	close(stop)
	sweepers.Wait()
	if left, err := reg.Leftovers(); err != nil || len(left) != 0 {
		t.Errorf("leftovers %v, %v", left, err)
	}
}

func TestSweepTouchesNothingElse(t *testing.T) {
	mounts, err := mountNamespace()
	if err != nil {
		t.Fatal(err)
	}
	reg := Registry{dir: t.TempDir()}
	others := []string{
		mounts + "-7",      // without a lock
		"12-3456-78",       // of an older form
		"1-9" + lockSuffix, // of another mount namespace
		"notes.txt",
	}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(reg.dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/null", filepath.Join(reg.dir, mounts+"-8"+lockSuffix)); err != nil {
		t.Fatal(err)
	}
	if n, _ := reg.Sweep(); n != 0 {
		t.Errorf("swept %d", n)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(reg.dir, name)); err != nil {
			t.Error(err)
		}
	}
}
