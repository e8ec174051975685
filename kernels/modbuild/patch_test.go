// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skleak/mutants"
)

// What spatch runs as is tried with a program in its place that tells.
func TestSpatchHasNoPrivilegesAndNoNetwork(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user has no privileges to give up: run as root")
	}
	bin := t.TempDir()
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := bin; dir != "/"; dir = filepath.Dir(dir) {
		if dir != "/tmp" && strings.HasPrefix(dir, os.TempDir()+"/") {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "secret")
	script := `#!/bin/sh
echo "uid $(id -u) groups $(id -G)"
echo "caps $(sed -n 's/^CapEff:.//p' /proc/self/status)"
echo "links $(ls /proc/self/net/dev_snmp6 2>/dev/null | tr '\n' ' ') $(sed -n '3,$s/:.*//p' /proc/self/net/dev | tr -d ' ' | tr '\n' ' ')"
cat ` + secret + ` 2>/dev/null && echo leaked
touch ` + filepath.Dir(secret) + `/x 2>/dev/null && echo wrote
echo "env $SECRET"
cat /proc/self/fd/3/dummy.c >/dev/null && echo reads
for last; do :; done
echo patched > "$last"
`
	if err := os.WriteFile(filepath.Join(bin, "spatch"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("SECRET", "of the caller")
	if err := os.Chmod(filepath.Dir(secret), 0o700); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from", "dummy.c"), filepath.Join(dir, "work", "dummy.c")
	write(t, from, driver)
	write(t, to, driver)
	said, err := patch(t.Context(), mutants.Mutant{Name: "m", Patch: "@@ @@"}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	want := "uid 65534 groups 65534\ncaps 0000000000000000\nlinks  lo \nenv \nreads\n"
	if strings.ReplaceAll(said, "links lo  lo", "links  lo") != want {
		t.Errorf("%q, want %q", said, want)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "patched\n" {
		t.Errorf("%q, %v", text, err)
	}
	left, err := os.ReadDir(filepath.Dir(to))
	if err != nil || len(left) != 1 {
		t.Errorf("left beside it: %v, %v", left, err)
	}
}

// Were a script to pass the check, it could do no harm.
func TestAScriptThatPassesDoesNoHarm(t *testing.T) {
	if _, err := exec.LookPath("spatch"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs spatch and root")
	}
	dir := t.TempDir()
	from, to, mark := filepath.Join(dir, "from.c"), filepath.Join(dir, "work", "dummy.c"), filepath.Join(dir, "mark")
	write(t, from, driver)
	write(t, to, driver)
	cocci := "@r@\nidentifier f;\n@@\n f(...) { ... }\n@script:python@\nf << r.f;\n@@\nopen('" + mark + "', 'w').write('x')\n"
	_, err := patch(t.Context(), mutants.Mutant{Name: "m", Patch: cocci}, from, to)
	if err == nil {
		t.Error("a script that changes nothing was taken for a patch")
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the script wrote a file: %v", err)
	}
}
