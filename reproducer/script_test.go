// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/scenarios"
)

func catalogue(t *testing.T) []scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func named(t *testing.T, name string) scenarios.Scenario {
	t.Helper()
	for _, sc := range catalogue(t) {
		if sc.Name == name {
			return sc
		}
	}
	t.Fatalf("no scenario %s", name)
	return scenarios.Scenario{}
}

// written puts a script into a file.
func written(t *testing.T, sc scenarios.Scenario) string {
	t.Helper()
	text, err := Script(sc)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "reproducer.sh")
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestEveryScenarioHasAScript that a shell can read, but for those about the card
// of a virtual machine.
func TestEveryScenarioHasAScript(t *testing.T) {
	n := 0
	for _, sc := range catalogue(t) {
		text, err := Script(sc)
		if errors.Is(err, errCard) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", sc.Name, err)
			continue
		}
		n++
		if left := regexp.MustCompile(`(?m)^.*@[A-Z]+@.*$`).FindString(text); left != "" {
			t.Errorf("%s: not filled in: %s", sc.Name, left)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-n")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: bash -n: %v\n%s", sc.Name, err, out)
		}
	}
	if n < 200 {
		t.Errorf("only %d scripts", n)
	}
}

// kinds are scenarios that between them use every part of a script.
func kinds() []string {
	return []string{
		"hold/tbf", "tap/unread", "hold/nfqueue-one", "macvtap/read", "veth/unread-packet-socket", "veth/xdp-drop",
		"team/broadcast", "wireguard/unreachable", "iodine/no-client", "stack/vxlan-over-full", "qdisc/sfq-full",
	}
}

func TestShellcheckIsSilent(t *testing.T) {
	shellcheck := testkit.Program(t, "shellcheck", "shellcheck")
	files := []string{}
	for _, sc := range catalogue(t) {
		for _, name := range kinds() {
			if sc.Name == name {
				files = append(files, written(t, sc))
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), shellcheck, files...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// source is the C of a script.
func source(t *testing.T, sc scenarios.Scenario) []byte {
	t.Helper()
	text, err := Script(sc)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(text, "<<'END_OF_C'\n")
	program, _, ended := strings.Cut(rest, "\nEND_OF_C\n")
	if !found || !ended {
		t.Fatal("the script has no C")
	}
	return []byte(program + "\n")
}

func TestCompilersDoNotWarn(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		t.Run(compiler, func(t *testing.T) {
			testkit.Program(t, compiler, compiler)
			for _, name := range []string{"hold/tbf", "tap/unread", "hold/nfqueue-one", "macvtap/read", "veth/unread-packet-socket", "veth/xdp-drop"} {
				cmd := exec.CommandContext(t.Context(), compiler, "-x", "c", "-O2", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-")
				cmd.Stdin = bytes.NewReader(source(t, named(t, name)))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			}
		})
	}
}

// needed skips without what a script needs.
func needed(t *testing.T) {
	t.Helper()
	for program, debian := range map[string]string{"gcc": "gcc", "ip": "iproute2", "tc": "iproute2", "unshare": "util-linux"} {
		testkit.Program(t, program, debian)
	}
}

// run runs a script and gives its exit status.
func run(t *testing.T, sc scenarios.Scenario) (out string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", written(t, sc))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("on standard error: %s", &stderr)
	}
	return string(stdout), cmd.ProcessState.ExitCode()
}

// TestSameVerdict runs scripts on this kernel, which needs root and a compiler. What
// each comes to was measured by skleak too: it is what the catalogue expects.
func TestSameVerdict(t *testing.T) {
	testkit.Root(t, "builds links")
	needed(t)
	for name, want := range map[string]string{
		"hold/tbf": "stalled", "tun/unread": "clean", "hold/nfqueue-one": "held", "veth/small-peer": "refused",
		"neigh/unresolved": "stalled", "socket/packet-over-tbf": "stalled", "hold/two-links": "stalled",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, status := run(t, named(t, name))
			if status == 4 && strings.Contains(out, "# SKIP netfilter rules") {
				t.Skip(out)
			}
			if status != 0 || !strings.Contains(out, "\n# verdict: "+want+"\n") || !strings.Contains(out, "\nok 1 "+name+"\n") {
				t.Errorf("exit status %d, want verdict %s:\n%s", status, want, out)
			}
		})
	}
	t.Run("not as expected", func(t *testing.T) {
		t.Parallel()
		sc := named(t, "hold/tbf")
		sc.Expect = []record.Verdict{record.Clean}
		out, status := run(t, sc)
		if status != 1 || !strings.Contains(out, "\nnot ok 1 hold/tbf # found stalled, expected clean\n") {
			t.Errorf("exit status %d:\n%s", status, out)
		}
	})
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		sc := named(t, "hold/tbf")
		sc.Links[0].Addresses = []string{"172.29.198.129/28", "172.29.198.129/28"}
		out, status := run(t, sc)
		if status != 4 || !strings.Contains(out, "ok 1 hold/tbf # SKIP ") {
			t.Errorf("exit status %d:\n%s", status, out)
		}
	})
}

// TestHostileNames: a name of a file may be anything that the kernel takes.
func TestHostileNames(t *testing.T) {
	sc := named(t, "hold/tbf")
	const evil = "<b>';$(id)`\"\\"
	sc.Name, sc.About = "x/$(touch evil)'\n`id`", "a\nb\x1b[2J'; exit 9 #"
	sc.Links[0].Name, sc.Traffic.Via = evil, []string{evil}
	text, err := Script(sc)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-n")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v\n%s", err, out)
	}
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\nexit 9") || strings.Contains(text, "\nb\x1b") {
		t.Error("the comment lets something through")
	}
	testkit.Root(t, "builds links")
	needed(t)
	dir := t.TempDir()
	run := exec.CommandContext(t.Context(), "bash", written(t, sc))
	run.Dir = dir
	out, _ := run.CombinedOutput()
	if !strings.Contains(string(out), "# verdict: stalled") {
		t.Errorf("with a link of the name %s: %s", evil, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("something was run: %v %v", left, err)
	}
}
