// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the scripts of testdata/script. Beside testscript's own they
// have these commands:
//
//	exits N PROGRAM ARG...    the exit status is N
//	refused PROGRAM ARG...    exit status 2, nothing printed, one line of error
//
// $PUBLIC is a folder with a copy of skleak that any user may enter.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               publish,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"refused": refused,
		},
	})
}

// publish puts a copy of the command where an ordinary user may run it.
func publish(e *testscript.Env) error {
	for _, name := range []string{"LANG", "LC_ALL", "LC_CTYPE"} {
		e.Setenv(name, "C.UTF-8")
	}
	binary, err := exec.LookPath("skleak")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "public-*")
	if err != nil {
		return err
	}
	e.Defer(func() { _ = os.RemoveAll(dir) })
	e.Setenv("PUBLIC", dir)
	data, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "skleak"), data, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// condition knows [root].
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Geteuid() == 0, nil
	}
	return false, errors.New("unknown condition " + name)
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	default:
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// escapes finds what only a terminal understands.
var escapes = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`)

func refused(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"2"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("printed beside the error: %q", out)
	}
	text := ts.ReadFile("stderr")
	if !strings.HasPrefix(text, "skleak: ") || strings.Count(text, "\n") != 1 || escapes.MatchString(strings.TrimSuffix(text, "\n")) {
		ts.Fatalf("want one plain line of error, got %q", text)
	}
}
