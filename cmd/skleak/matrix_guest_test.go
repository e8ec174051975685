// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"skleak/record"
)

// A kernel that cannot be had is trouble of its own run; the others go on.
func TestMatrixGoesOnWithoutAKernel(t *testing.T) {
	needsGuest(t)
	cmd := exec.Command("skleak", "matrix", "--kernels", "path:/nowhere,debian:5.10.1,debian:6.1", "tun/read", "--json")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("%v, want exit status 2", err)
	}
	var rep record.Report
	if err := json.Unmarshal(out, &rep); err != nil || len(rep.Runs) != 3 {
		t.Fatalf("%d runs, %v", len(rep.Runs), err)
	}
	for i, want := range []string{"no kernel in /nowhere", "is not served"} {
		if run := rep.Runs[i]; !strings.Contains(run.Trouble, want) || len(run.Results) != 0 || run.Interrupted {
			t.Errorf("%s: trouble %q, %d results", run.Kernel.Source, run.Trouble, len(run.Results))
		}
	}
	run := rep.Runs[2]
	if run.Trouble != "" || len(run.Results) != 1 || run.Results[0].Status != record.Pass {
		t.Errorf("the kernel that can be had: %+v", run)
	}
}

func TestMatrixWithoutAnyKernel(t *testing.T) {
	out, err := exec.Command("skleak", "matrix", "--kernels", "path:/nowhere", "tun/read").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "skleak: kernel path:/nowhere: no kernel in /nowhere") {
		t.Errorf("%v: %s", err, out)
	}
}
