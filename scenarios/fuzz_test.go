// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecode looks for a panic, an error without a form, and a file whose
// scenarios do not survive Encode.
func FuzzDecode(f *testing.F) {
	for _, tc := range badInputs() {
		if len(tc.file) < 10_000 {
			f.Add(tc.file)
		}
	}
	f.Add(withLinks(veth, "{name: t0, kind: tun, reader: {mode: slow, pps: 1/10s}}"))
	f.Add(withTraffic("rate: 1/10s, payload: {hex: 00ff}, size: 64kb, via: [v0, v1]"))
	f.Add(withKey("filters: [{hook: output, action: nfqueue, listener: {verdict: none, keep: [1]}}]"))
	f.Fuzz(func(t *testing.T, file string) {
		got, err := DecodeFS("mine.yaml", strings.NewReader(file), payloads())
		if err != nil {
			checkError(t, err)
			return
		}
		var again bytes.Buffer
		if err := Encode(&again, got); err != nil {
			t.Fatal(err)
		}
		text := again.String()
		back, err := Decode("mine.yaml", &again)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(got, back) {
			t.Errorf("%+v\ncame back as\n%+v\nby\n%s", got, back, text)
		}
	})
}
