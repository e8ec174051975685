// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"strings"
	"testing"
)

func TestReplayKeepsEveryFlagThatBearsOnTheRun(t *testing.T) {
	status := statusCode(0)
	cmd := vmRunCommand(terminal{}, &status)
	err := cmd.Flags().Parse([]string{
		"--kernel", "debian:6.1", "--count=10", "--rate", "43", "--patience=5s", "--ledger", "--jobs=2",
		"--save", "dir", "--json", "-o", "x", "--keep", "guest", "a b.yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "skleak vm run --kernel debian:6.1 --count=10 --jobs=2 --ledger=on --patience=5s --rate=43 'a b.yaml'"
	if got := replay([]string{"vm", "run", "--kernel", "debian:6.1"}, cmd.Flags(), cmd.Flags().Args()); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := replay([]string{"run"}, cmd.Flags(), []string{"-x"}); !strings.HasSuffix(got, " ./-x") {
		t.Errorf("%s", got)
	}
}
