// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skleak/record"
)

// FuzzJudge gives the judge any trace that decodes. It must not panic, and
// what it says must not contradict itself.
func FuzzJudge(f *testing.F) {
	traces, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range traces {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var trace record.Trace
		if json.Unmarshal(data, &trace) != nil {
			return
		}
		consistent(t, trace, Judge(trace))
		r := Result("a/b", []record.Verdict{record.Clean}, nil, trace)
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("a result that cannot be written: %v", err)
		}
	})
}

func consistent(t *testing.T, trace record.Trace, f Finding) {
	t.Helper()
	if (f.Trouble == "") != f.Verdict.Valid() {
		t.Errorf("verdict %q with trouble %q", f.Verdict, f.Trouble)
	}
	if strings.Contains(f.Law, "NaN") || strings.Contains(f.Law, "Inf") {
		t.Errorf("law = %q", f.Law)
	}
	if r := f.StallRatePPS; r != nil && (math.IsNaN(*r) || math.IsInf(*r, 0) || *r < 0) {
		t.Errorf("rate = %g", *r)
	}
	for _, s := range trace.Sockets {
		if s.Saturated && f.Verdict != record.Underflow {
			t.Errorf("a saturated counter gave %q", f.Verdict)
		}
	}
	switch f.Verdict {
	case record.Clean, record.Refused:
		if f.HeldBytes != 0 || f.PinnedSockets != 0 || f.BytesPerPacket != 0 || f.Law != "" || f.Holder != "" {
			t.Errorf("%s, and yet %+v", f.Verdict, f)
		}
	case record.Orphaned:
		if leftCharged(trace) != 0 || (trace.Sent < orphanLeastSent && !ledgerOrphaned(trace) && trace.Orphans.By != bySlab) {
			t.Errorf("orphaned, and yet %+v", f)
		}
	case record.Stalled:
		if f.HeldBytes == 0 || trace.Waiter.AsleepNs > 0 || f.Writable && !stalled(trace) {
			t.Errorf("stalled, and yet %+v", f)
		}
	case record.Held:
		if f.HeldBytes == 0 || trace.Waiter.AsleepNs > 0 || stalled(trace) {
			t.Errorf("held, and yet %+v", f)
		}
	case record.Underflow, record.Leaked, record.LostWakeup:
	}
}
