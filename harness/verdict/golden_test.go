package verdict

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skleak/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

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
			golden := strings.TrimSuffix(path, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytes.TrimSpace(want), got) {
				t.Errorf("finding\n%s\nwant\n%s", got, want)
			}
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
