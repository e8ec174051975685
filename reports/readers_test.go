// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skleak/internal/testkit"
	"skleak/record"
)

// odd are reports that a reader may stumble over.
func odd() map[string]record.Report {
	several := sample()
	several.Runs = append(several.Runs, hostile().Runs...)
	return map[string]record.Report{"one": sample(), "several": several, "evil": evilReport("<b>]]>&\x00\xff"), "none": {}}
}

// inFile writes a report into a file.
func inFile(t *testing.T, format string, rep record.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report."+format)
	if err := os.WriteFile(file, []byte(written(t, format, rep, Options{Evidence: sampleEvidence()})), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestXMLReadByXmllint(t *testing.T) {
	xmllint := testkit.Program(t, "xmllint", "libxml2-utils")
	for name, rep := range odd() {
		for _, format := range []string{"junit", "svg"} {
			if out, err := exec.CommandContext(t.Context(), xmllint, "--noout", inFile(t, format, rep)).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s of %s: %v\n%s", format, name, err, out)
			}
		}
	}
}

// TestJUnitByJenkinsSchema: the schema is the xUnit plugin's.
func TestJUnitByJenkinsSchema(t *testing.T) {
	schema := testkit.Reader(t, "junit-10.xsd")
	xmllint := testkit.Program(t, "xmllint", "libxml2-utils")
	for name, rep := range odd() {
		if out, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--schema", schema, inFile(t, "junit", rep)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestKTAPReadByKunit: tools/testing/kunit of the kernel counts the same tests.
func TestKTAPReadByKunit(t *testing.T) {
	kunit := testkit.Reader(t, "tools/testing/kunit")
	python := testkit.Program(t, "python3", "python3")
	for name, want := range map[string]string{
		// It has no word for XFAIL, and none for an error of a test's own.
		"one":     "Ran 16 tests: passed: 6, failed: 7, skipped: 3",
		"several": "Ran 22 tests: passed: 7, failed: 11, skipped: 4",
	} {
		cmd := exec.CommandContext(t.Context(), python, filepath.Join(kunit, "kunit.py"), "parse", inFile(t, "ktap", odd()[name]))
		out, _ := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("%s: want %s:\n%s", name, want, out)
		}
	}
}

func TestHTMLReadByTidy(t *testing.T) {
	tidy := testkit.Program(t, "tidy", "tidy")
	for name, rep := range odd() {
		out, err := exec.CommandContext(t.Context(), tidy, "-q", "-e", "-utf8", inFile(t, "html", rep)).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestHTMLInABrowser draws the page, light and dark, wide and narrow.
func TestHTMLInABrowser(t *testing.T) {
	chromium := testkit.Program(t, "chromium", "chromium")
	file := inFile(t, "html", sample())
	for _, c := range []struct {
		name  string
		width int
		dark  bool
		args  []string
	}{
		{"light", 1280, false, []string{"--blink-settings=preferredColorScheme=1"}},
		{"dark", 1280, true, []string{"--blink-settings=preferredColorScheme=0"}},
		{"narrow", 500, false, []string{"--blink-settings=preferredColorScheme=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			shot := filepath.Join(t.TempDir(), "page.png")
			cmd := exec.CommandContext(t.Context(), chromium, append(c.args, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
				"--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=%d,1600", c.width), "--screenshot="+shot, "file://"+file)...)
			cmd.WaitDelay = 10 * time.Second
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			data, err := os.ReadFile(shot)
			if err != nil {
				t.Fatal(err)
			}
			page, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			colours := coloursOf(page)
			r, _, _, _ := page.At(2, 2).RGBA()
			if len(colours) < 50 || (r < 0x8000) != c.dark {
				t.Errorf("%d colours, background %x", len(colours), r)
			}
		})
	}
}

func coloursOf(page image.Image) map[color.Color]bool {
	found := map[color.Color]bool{}
	for y := range page.Bounds().Dy() {
		for x := range page.Bounds().Dx() {
			found[page.At(x, y)] = true
		}
	}
	return found
}
