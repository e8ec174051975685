// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commands are all that a user may call, by what they are called.
func commands() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" {
			return // cobra's own
		}
		all[cmd.CommandPath()] = cmd
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				walk(sub)
			}
		}
	}
	walk(rootCommand(terminal{}, new(statusCode)))
	return all
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	for name, cmd := range commands() {
		if cmd.Short == "" || cmd.Example == "" && !cmd.HasParent() {
			t.Errorf("%s has no short help or no examples", name)
		}
		if cmd.Example == "" && !cmd.HasSubCommands() && !cmd.Parent().HasExample() {
			t.Errorf("neither %s nor its parent has an example", name)
		}
		out, errs, status := skleak(t, append(strings.Fields(name)[1:], "--help")...)
		if status != 0 || errs != "" || !strings.Contains(out, cmd.Example) {
			t.Errorf("%s --help: exit status %d, %s%s", name, status, out, errs)
		}
	}
}

// elsewhere are commands whose examples need a kernel from a mirror, QEMU, an
// hour or a routing daemon, or that send through this machine's own links: they
// are tested where they live.
func elsewhere() []string {
	return []string{"blame", "config", "diff", "kernels", "matrix", "merge", "mutants", "plan", "probe", "soak", "story", "vm", "watch"}
}

// readmeScenario is the scenario README.md shows, by the name its examples use.
func readmeScenario(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatal("README.md shows no scenario")
	}
	return string(found[1])
}

func TestExamplesWork(t *testing.T) {
	mine := readmeScenario(t)
	for name, cmd := range commands() {
		words := strings.Fields(name)
		if cmd.Example == "" || len(words) > 1 && slices.Contains(elsewhere(), words[1]) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(mine), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(cmd.Example, "\n") {
				line = wholeCatalogue().ReplaceAllString(line, "skleak run tun/unread$1")
				runExample(t, dir, strings.ReplaceAll(line, "/tmp/", dir+"/"))
			}
		})
	}
}

// wholeCatalogue finds a run of everything: make run has that, once is enough.
func wholeCatalogue() *regexp.Regexp {
	return regexp.MustCompile(`skleak run( +--| +#|$)`)
}

// runExample runs one line of examples in dir. Exit status 4, everything
// skipped, is all that a kernel without VLANs can say to README.md's scenario.
func runExample(t *testing.T, dir, line string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MANPAGER=cat")
	out, err := cmd.CombinedOutput()
	if err != nil && (cmd.ProcessState.ExitCode() != 4 || !strings.Contains(line, "mine.yaml")) {
		t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
	}
}
