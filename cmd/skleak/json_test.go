// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// skleak runs the command and returns what it printed and its exit status.
func skleak(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "skleak", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// resultKeys are the keys that every result has, with the types of their
// values; a question mark allows null.
func resultKeys() map[string]string {
	return map[string]string{
		"scenario": "text", "status": "text", "verdict": "text", "expected": "text", "known": "?object",
		"packets": "count", "refused": "object", "peak_bytes": "count", "held_bytes": "count",
		"bytes_per_packet": "number", "truesize": "count", "sndbuf": "count", "writable": "truth",
		"self_release_ms": "?count", "packets_to_stall": "?count", "stall_rate_pps": "?number",
		"law": "text", "holder": "text", "released_by": "text", "ladder": "list", "pinned_sockets": "count",
		"witness": "list", "sockets": "list", "attempts": "list", "orphans": "text", "reason": "text", "seconds": "number",
	}
}

// typeOf names the type of a decoded JSON value.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "truth"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "count"
		}
		return "number"
	case []any:
		return "list"
	default:
		return "object"
	}
}

func fits(want, got string) bool {
	may, nullable := strings.CutPrefix(want, "?")
	return got == may || nullable && got == "null" || may == "number" && got == "count"
}

// checkResult compares one result with the contract.
func checkResult(t *testing.T, res map[string]any) {
	t.Helper()
	for key, want := range resultKeys() {
		v, there := res[key]
		if !there {
			t.Errorf("%s: no key %q", res["scenario"], key)
		} else if got := typeOf(v); !fits(want, got) {
			t.Errorf("%s: %q is a %s, want %s", res["scenario"], key, got, want)
		}
	}
	further := []string{"flaky", "hint", "modules", "law_check", "spark", "stages"}
	for key := range res {
		if _, known := resultKeys()[key]; !known && !slices.Contains(further, key) {
			t.Errorf("%s: key %q is not in docs/report.md", res["scenario"], key)
		}
	}
}

func TestReportHasEveryKey(t *testing.T) {
	out, errs, status := skleak(t, "run", "--json", "neigh/unresolved", "hold/tbf", "veth/same-netns", "team/broadcast-no-port")
	if status != 0 || errs != "" {
		t.Fatalf("exit status %d, %s", status, errs)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	dec.UseNumber()
	var rep struct {
		Schema string
		Runs   []struct {
			Kernel            map[string]any
			Controls, Results []map[string]any
			Interrupted       *bool
			Seconds           json.Number
		}
	}
	if err := dec.Decode(&rep); err != nil {
		t.Fatal(err)
	}
	if rep.Schema != "skleak/1" || len(rep.Runs) != 1 {
		t.Fatalf("schema %q with %d runs, want skleak/1 with one", rep.Schema, len(rep.Runs))
	}
	run := rep.Runs[0]
	for _, key := range []string{"release", "version", "arch", "source"} {
		if text, ok := run.Kernel[key].(string); !ok || text == "" {
			t.Errorf("kernel has no %s", key)
		}
	}
	if len(run.Controls) < 2 || len(run.Results) != 4 || run.Interrupted != nil {
		t.Fatalf("%d controls, %d results, interrupted %v", len(run.Controls), len(run.Results), run.Interrupted)
	}
	for _, res := range slices.Concat(run.Controls, run.Results) {
		checkResult(t, res)
	}
	null := map[string][]string{
		"neigh/unresolved":       {"known"},
		"hold/tbf":               {"known", "self_release_ms", "stall_rate_pps"},
		"veth/same-netns":        {"known", "self_release_ms", "packets_to_stall", "stall_rate_pps"},
		"team/broadcast-no-port": {"self_release_ms", "packets_to_stall", "stall_rate_pps"},
	}
	for _, res := range run.Results {
		var got []string
		for key, v := range res {
			if v == nil {
				got = append(got, key)
			}
		}
		want := null[fmt.Sprint(res["scenario"])]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: null are %v, want %v", res["scenario"], got, want)
		}
	}
}
