// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docs/extending.md says that a kind is four files. netkit was added by it; a
// fifth that names it is one that the next kind would need too.
func TestAKindIsFourFiles(t *testing.T) {
	var got []string
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		name := filepath.Base(path)
		switch {
		case err != nil:
			return err
		case e.IsDir() && len(name) > 2 && (name[0] == '.' || slices.Contains([]string{"bin", "dist", "results"}, name)):
			return filepath.SkipDir
		case e.IsDir() || strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{".go", ".yaml", ".md"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(bytes.ToLower(text), []byte("netkit")) && name != "extending.md" {
			got = append(got, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"../docs/links.md", "../netns/link_netkit.go", "../scenarios/catalogue/netkit.yaml", "../scenarios/link_netkit.go"}
	if !slices.Equal(got, want) {
		t.Errorf("named by %q, want %q", got, want)
	}
}

// What a kind says of itself is so.
func TestRecordsAreTrue(t *testing.T) {
	for _, k := range linkKinds() {
		o := k.options()
		_, paired := o.(Paired)
		if paired != (k.Carrier == CarrierOfPeer) {
			t.Errorf("%s: a pair: %v, and its carrier is of %q", k.Name, paired, k.Carrier)
		}
		parent := slices.ContainsFunc(o.fields(), func(f field) bool { return f.key == "parent" })
		if parent != (k.On == OnParent || k.On == OnUnderlay) {
			t.Errorf("%s takes a parent: %v, and is built on %q", k.Name, parent, k.On)
		}
		if (k.Carrier == CarrierOfParent) && k.On != OnParent || k.Carrier == CarrierOfPorts && k.On != OnPorts {
			t.Errorf("%s has the carrier of %q and is built on %q", k.Name, k.Carrier, k.On)
		}
	}
}
