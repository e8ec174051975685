// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skleak/internal/testkit"
	"skleak/record"
)

// TestBundleReadByTar: tar, zstd and sha256sum, which nobody here wrote, read it.
func TestBundleReadByTar(t *testing.T) {
	zstd := testkit.Program(t, "zstd", "zstd")
	dir := t.TempDir()
	bundle := filepath.Join(dir, "run.tar.zst")
	if err := os.WriteFile(bundle, []byte(written(t, "bundle", one(record.Fail), Options{Evidence: sampleEvidence()})), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := exec.CommandContext(t.Context(), "sh", "-euc", zstd+" -q -d -c run.tar.zst | tar -xf - && cd skleak && sha256sum --strict --quiet --check SHA256SUMS && find . -type f | sort")
	sh.Dir = dir
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const want = "./README\n./SHA256SUMS\n./charts.svg\n./mail.txt\n./packets.pcapng\n./report.html\n./report.json\n./report.ktap\n" +
		"./report.md\n./report.txt\n./report.xml\n./reproducer/hold-tbf.sh\n./run/run.json\n./summary.md\n"
	if string(out) != want {
		t.Errorf("it has\n%s", out)
	}
}

// TestBundleIsTheSameAgain: no clock and no host has a say in it.
func TestBundleIsTheSameAgain(t *testing.T) {
	o := Options{Evidence: sampleEvidence()}
	if a, b := written(t, "bundle", sample(), o), written(t, "bundle", sample(), o); a != b {
		t.Error("the same run gives two bundles")
	}
}

func TestFileNames(t *testing.T) {
	for in, want := range map[string]string{"hold/tbf": "hold-tbf", "../../etc/passwd": "-..-etc-passwd", "a\n;b\x00": "a--b-", "": ""} {
		if got := fileName(in); got != want || strings.Contains(got, "/") {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
