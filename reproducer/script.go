// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"embed"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"skleak/record"
	"skleak/scenarios"
)

//go:embed parts/*.c parts/*.sh
var parts embed.FS

// Script is the script of a scenario. It is an error if only a virtual machine
// can build the scenario.
func Script(sc scenarios.Scenario) (string, error) {
	order, err := scenarios.BuildOrder(sc.Links)
	if err != nil {
		return "", fmt.Errorf("script of %s: %w", sc.Name, err)
	}
	w := &writer{sc: sc, tools: map[string]bool{}, programs: map[string]bool{}}
	for _, l := range order {
		w.addLink(l)
	}
	if err := w.buildAll(); err != nil {
		return "", fmt.Errorf("script of %s: %w", sc.Name, err)
	}
	program, err := w.program()
	if err != nil {
		return "", fmt.Errorf("script of %s: %w", sc.Name, err)
	}
	text, err := parts.ReadFile("parts/script.sh")
	if err != nil {
		return "", err
	}
	var expected []string
	for _, v := range sc.Expect {
		expected = append(expected, string(v))
	}
	return strings.NewReplacer(
		"@ABOUT@", comment(sc), "@NEEDS@", w.needs(), "@TOOLS@", w.toolList(),
		"@NAME@", quote(sc.Name), "@EXPECTED@", quote(strings.Join(expected, " ")),
		"@REMOVE@", indent(w.removal(), 1), "@C@", program,
		"@BUILD@", strings.Join(w.build, "\n"), "@FINISH@", strings.Join(w.finish, "\n"),
		"@LADDER@", indent(w.ladder(), 2),
	).Replace(string(text)), nil
}

// comment is what the scenario is about, in lines of a shell's comment.
func comment(sc scenarios.Scenario) string {
	var b strings.Builder
	line := "#"
	for _, word := range strings.Fields(sc.Name + ": " + sc.About + " Expected of a sound kernel: " + record.JoinVerdicts(sc.Expect) + ".") {
		if len(line)+len(word) > 78 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line)
	return printable(b.String())
}

// printable leaves out what a reader's terminal would act on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// quote is one word of a shell.
func quote(s string) string { return shellescape.Quote(s) }

// command is a line of a shell.
func command(words ...string) string { return shellescape.QuoteCommand(words) }

func indent(lines []string, tabs int) string {
	if len(lines) == 0 {
		lines = []string{":"}
	}
	for i := range lines {
		lines[i] = strings.Repeat("\t", tabs) + lines[i]
	}
	return strings.Join(lines, "\n")
}
