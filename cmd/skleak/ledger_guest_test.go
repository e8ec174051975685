// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
	"skleak/vm"
)

// seenBy is what a ledger says of a scenario, but for what it was kept with.
type seenBy struct {
	Verdict    record.Verdict
	Holder     string
	Sum, Gap   int64
	Incomplete string
	Places     []record.LedgerPlace
	Left       int
}

// fragments sends what only BPF can account for: each skb has another truesize.
const fragments = "mine/fragments"

// In guests, where BPF programs are allowed, the ledger gives the same answers
// with and without.
func TestLedgerWithAndWithoutBPF(t *testing.T) {
	if testing.Short() {
		t.Skip("boots VMs")
	}
	if _, err := exec.LookPath(vm.Program); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	// The guest's first program cannot be the test binary, which is not static.
	static := filepath.Join(t.TempDir(), "skleak")
	build := exec.Command("go", "build", "-o", static, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build skleak: %v\n%s", err, out)
	}
	want := map[string]string{
		"hold/tbf": "qdisc tbf on v0", "hold/nfqueue": "nfqueue 0", "stack/vxlan-over-plug": "qdisc plug on v0", "tun/unread": "",
		fragments: "qdisc plug on v0",
	}
	without := guestLedgers(t, static, "tracepoints", "perf tracepoints", want)
	with := guestLedgers(t, static, "on", "perf tracepoints and BPF", want)
	for name, s := range with {
		if s.Gap != 0 || s.Incomplete != "" {
			t.Errorf("%s: gap %d, %s", name, s.Gap, s.Incomplete)
		}
	}
	if s := without[fragments]; s.Gap == 0 || s.Incomplete == "" {
		t.Errorf("fragments were computed without BPF: %+v", s)
	}
	delete(without, fragments)
	delete(with, fragments)
	if diff := cmp.Diff(without, with); diff != "" {
		t.Errorf("with BPF the ledger differs (- without, + with):\n%s", diff)
	}
}

// guestLedgers runs the scenarios of want, each with its holder, in a guest.
func guestLedgers(t *testing.T, static, mode, by string, want map[string]string) map[string]seenBy {
	t.Helper()
	args := []string{"vm", "run", "--kernel", "debian:6.12", "--patience", "0s", "--json", "--ledger=" + mode, "testdata/fragments.yaml"}
	for name := range want {
		if name != fragments {
			args = append(args, name)
		}
	}
	cmd := exec.Command(static, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	var rep record.Report
	if err := json.Unmarshal(out, &rep); err != nil || len(rep.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(rep.Runs), err)
	}
	seen := map[string]seenBy{}
	for _, r := range rep.Runs[0].Results {
		l := r.Ledger
		if l == nil || l.By != by || l.Left == nil {
			t.Fatalf("%s: ledger %+v; notes %q", r.Scenario, l, rep.Runs[0].Notes)
		}
		if r.Holder != want[r.Scenario] || *l.Left != 0 {
			t.Errorf("%s, %s: held by %q, left %d", r.Scenario, by, r.Holder, *l.Left)
		}
		s := seenBy{r.Verdict, r.Holder, l.Sum, l.Gap, l.Incomplete, l.Places, *l.Left}
		for i := range s.Places {
			s.Places[i].By = ""
		}
		seen[r.Scenario] = s
	}
	if len(seen) != len(want) {
		t.Errorf("%d results, want %d", len(seen), len(want))
	}
	return seen
}
