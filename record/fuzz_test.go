// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// again marshals v and reads it back with read; what came in once must come
// out the same.
func again[T any](t *testing.T, v T, read func([]byte) (T, error)) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal what was read: %v", err)
	}
	back, err := read(b)
	if err != nil {
		t.Fatalf("read what was written: %v\n%s", err, b)
	}
	// Empty and absent are the same to omitempty.
	second, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), string(second)); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for line := range strings.Lines(encoded(f, events())) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"v":1,"kind":"trace","trace":null}`))
	f.Add([]byte(`{"v":1e0,"seq":18446744073709551615}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if e, err := DecodeEvent(line); err == nil {
			again(t, e, DecodeEvent)
		}
	})
}

func FuzzReadTrace(f *testing.F) {
	read := func(b []byte) (Trace, error) { return ReadTrace(bytes.NewReader(b)) }
	f.Add([]byte(`{"schema":"skleak-trace/1","refused":{"EPERM":1},"sockets":[{"series":[{"t":1,"b":2}]}],"patience":{},"orphans":{}}`))
	f.Add([]byte(`{"schema":"skleak-trace/1","settle":{"per_socket":[4294967295]},"state":[{"links":[{}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if trace, err := read(b); err == nil {
			again(t, trace, read)
		}
	})
}

func FuzzReadReport(f *testing.F) {
	read := func(b []byte) (Report, error) { return ReadReport(bytes.NewReader(b)) }
	f.Add([]byte(`{"schema":"skleak/1","runs":[{"results":[{"status":"fail","self_release_ms":null,"ladder":[{}]}]}]}`))
	f.Add([]byte(`{"schema":"skleak/1","runs":[{"trouble":"x","controls":[{"status":"broken"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := read(b)
		if err != nil {
			return
		}
		again(t, rep, read)
		for _, strict := range []bool{false, true} {
			if code := rep.ExitCode(strict); code < 0 || code > 4 || code == 3 {
				t.Errorf("exit code %d", code)
			}
		}
	})
}
