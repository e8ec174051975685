// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The folders and files that docs/architecture.md names are there. A file named
// without its folder is the experiment's.
func TestArchitectureNamesWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z_]+(?:/[a-z_]+)*(?:/|\\.go))`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 40 {
		t.Errorf("%d folders and files found in the text", len(named))
	}
	for _, one := range named {
		name := one[1]
		if filepath.Dir(name) == "." {
			name = filepath.Join("harness", "experiment", name)
		}
		if filepath.Ext(name) == "" {
			name = one[1]
		}
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
}
