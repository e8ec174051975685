// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skleak/internal/testkit"
	"skleak/record"
)

// Each trace under testdata has its finding beside it. Those whose scenario is
// hand/... were bent by hand, the others are of a 6.18 kernel.
func TestGolden(t *testing.T) {
	traces, err := filepath.Glob("testdata/*.json")
	if err != nil || len(traces) == 0 {
		t.Fatalf("no traces under testdata: %v", err)
	}
	for _, path := range traces {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			got, err := json.MarshalIndent(Judge(readTrace(t, path)), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, strings.TrimSuffix(path, ".json")+".golden", string(got)+"\n")
		})
	}
}

func readTrace(t *testing.T, path string) record.Trace {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := record.ReadTrace(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
