// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skleak/scenarios"
)

func TestProgramFiles(t *testing.T) {
	files, err := programFiles([]scenarios.Program{{Name: "no-such-program", Path: "/bin/none"}, {Name: "sh", Path: "/elsewhere/sh"}})
	if err != nil {
		t.Fatal(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if files["/elsewhere/sh"] != sh || files["/bin/none"] != "" {
		t.Errorf("the programs are %q", files)
	}
	loader, libc := false, false
	for to, from := range files {
		if to != from && from != sh {
			t.Errorf("library %s is moved to %s", from, to)
		}
		loader = loader || strings.HasPrefix(filepath.Base(to), "ld-")
		libc = libc || strings.HasPrefix(filepath.Base(to), "libc.")
	}
	if !loader || !libc {
		t.Errorf("the loader or the C library is not among %q", files)
	}
	if none, err := programFiles([]scenarios.Program{{Name: "no-such-program", Path: "/bin/none"}}); len(none) != 0 || err != nil {
		t.Errorf("of nothing: %q, %v", none, err)
	}
}

func TestWantedPrograms(t *testing.T) {
	for _, sc := range catalogue(t) {
		got := wantedPrograms([]scenarios.Scenario{sc})
		if (len(got) > 0) != strings.HasPrefix(sc.Name, "iodine/") {
			t.Errorf("%s wants %v", sc.Name, got)
		}
	}
}
