// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a killed download left goes; what somebody works on, or has just made,
// or a link leads to, stays.
func TestSweepDownloadBoxes(t *testing.T) {
	folder := t.TempDir()
	elsewhere := t.TempDir()
	for _, name := range []string{"skleak-download-1", "skleak-download-2", "skleak-download-3", "other-1"} {
		if err := os.MkdirAll(filepath.Join(folder, name, "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(elsewhere, filepath.Join(folder, "skleak-download-4")); err != nil {
		t.Fatal(err)
	}
	held, err := lockDownloadBox(filepath.Join(folder, "skleak-download-2"))
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(2 * boxUnlocked)
	if err := os.Chtimes(filepath.Join(folder, "skleak-download-3"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := sweepDownloadBoxes(folder, later); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"skleak-download-1": false, "skleak-download-2": true, "skleak-download-3": true, "skleak-download-4": true, "other-1": true,
	} {
		if _, err := os.Lstat(filepath.Join(folder, name)); (err == nil) != want {
			t.Errorf("%s: there: %t, want %t", name, err == nil, want)
		}
	}
	if _, err := os.Stat(elsewhere); err != nil {
		t.Errorf("a link was followed: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "skleak-download-2")); err == nil {
		t.Error("a closed box is still there")
	}
}
