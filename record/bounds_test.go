// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestWhatSkleakNeverWritesIsRefused(t *testing.T) {
	report := func(rest string) string { return `{"schema":"skleak/1",` + rest + `}` }
	shard := func(index, of int, kernels, scenarios string) string {
		return report(fmt.Sprintf(`"runs":[],"shard":{"index":%d,"of":%d,"kernels":[%s],"scenarios":[%s]}`, index, of, kernels, scenarios))
	}
	many := strings.TrimSuffix(strings.Repeat(`"a",`, 2000), ",")
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"endless shards":     {shard(1, 1<<50, `"k"`, `"a/b"`), ErrBounds},
		"no shard 3 of 2":    {shard(3, 2, `"k"`, `"a/b"`), ErrForeign},
		"no kernels":         {shard(1, 1, ``, `"a/b"`), ErrForeign},
		"kernel twice":       {shard(1, 1, `"k","k"`, `"a/b"`), ErrForeign},
		"too many cells":     {shard(1, 1, many, many), ErrBounds},
		"deep":               {report(`"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), ErrBounds},
		"deep in no end":     {strings.Repeat(`{"runs":`, 1_000_000), ErrBounds},
		"many objects":       {report(`"runs":[` + strings.Repeat("{},", maxObjects) + `{}]`), ErrBounds},
		"many values":        {report(`"x":[` + strings.Repeat("1,", maxValues) + `1]`), ErrBounds},
		"long string":        {report(`"runs":[{"trouble":"` + strings.Repeat("x", MaxBytes) + `"}]`), ErrBounds},
		"foreign status":     {report(`"runs":[{"results":[{"status":"great"}]}]`), ErrForeign},
		"foreign verdict":    {report(`"runs":[{"controls":[{"status":"pass","verdict":"fine"}]}]`), ErrForeign},
		"garbage at the end": {report(`"runs":[]`) + "\x1b]0;x", ErrForeign},
	} {
		if _, err := ReadReport(strings.NewReader(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		} else if len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	if _, err := ReadReport(strings.NewReader(shard(2, 2, `"k"`, `"a/b"`))); err != nil {
		t.Error(err)
	}
}

func TestBracketsInStringsDoNotNest(t *testing.T) {
	text := `{"schema":"skleak/1","runs":[{"trouble":"` + strings.Repeat(`[{\\\"`, 100) + `"}]}`
	if _, err := ReadReport(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
}

// deepest reads how deep data nests by the library's own reader.
func deepest(data []byte) (depth int) {
	d, now := json.NewDecoder(bytes.NewReader(data)), 0
	for {
		tok, err := d.Token()
		if err != nil {
			return depth
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			now++
			depth = max(depth, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}

func FuzzCheckBounds(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"}]\\\""}]}`))
	f.Add([]byte(strings.Repeat("[", maxDepth+1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := checkBounds(data)
		if json.Valid(data) && (deepest(data) > maxDepth) != (err != nil) {
			t.Errorf("nests %d deep: %v", deepest(data), err)
		}
		var rep Report
		if decodeWhole(io.LimitReader(bytes.NewReader(data), MaxBytes), &rep) == nil && err != nil {
			t.Errorf("decoded in spite of %v", err)
		}
	})
}

func TestGaps(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
	}{
		"whole":            {`"runs":[{"kernel":{"release":"6.1"},"results":[{"scenario":"a/b","status":"pass"}]}]`, ""},
		"schema only":      {`"runs":[]`, "no runs"},
		"no kernel":        {`"runs":[{}]`, "names no kernel"},
		"no results":       {`"runs":[{"kernel":{"release":"6.1"}}]`, "6.1 has no results"},
		"trouble is told":  {`"runs":[{"kernel":{"release":"6.1"},"trouble":"no boot"}]`, ""},
		"interrupted":      {`"runs":[{"kernel":{"source":"debian:6.1"},"interrupted":true,"missing":["a/b","a/c"]}]`, "debian:6.1 was interrupted; without a result: a/b, a/c"},
		"of an older form": {`"runs":[{"kernel":{"source":"host","release":"6.1"},"interrupted":true}]`, "6.1 was interrupted after 0 results"},
		"empty share":      {`"runs":[],"shard":{"index":1,"of":2,"kernels":["k"],"scenarios":["a/b"]}`, ""},
		"share of a cell":  {`"runs":[],"shard":{"index":2,"of":2,"kernels":["k"],"scenarios":["a/b"]}`, "no runs"},
	} {
		rep, err := ReadReport(strings.NewReader(`{"schema":"skleak/1",` + c.text + `}`))
		if err != nil {
			t.Fatal(name, err)
		}
		got := strings.Join(rep.Gaps(), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := (Trace{}).Lacks(); len(got) != 3 {
		t.Errorf("an empty trace lacks %v", got)
	}
}
