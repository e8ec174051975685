// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// signed is a module with a signature of so many bytes that says it has size.
func signed(module string, bytesOf int, size uint32) []byte {
	trailer := binary.BigEndian.AppendUint32([]byte{0, 0, 2, 0, 0, 0, 0, 0}, size)
	return append([]byte(module), append(append(make([]byte, bytesOf), trailer...), signatureMark...)...)
}

func TestWithoutSignature(t *testing.T) {
	cases := map[string]struct{ in, want []byte }{
		"signed":              {signed("module", 70, 70), []byte("module")},
		"not signed":          {[]byte("module"), []byte("module")},
		"empty":               {nil, nil},
		"longer than it is":   {signed("module", 70, 77), signed("module", 70, 77)},
		"as long as it is":    {signed("", 70, 70), []byte{}},
		"the mark alone":      {[]byte(signatureMark), []byte(signatureMark)},
		"the mark, then more": {append(signed("module", 3, 3), 0), append(signed("module", 3, 3), 0)},
		"a length of 4 GiB":   {signed("module", 70, 1<<32-1), signed("module", 70, 1<<32-1)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := withoutSignature(c.in); !bytes.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestReadUnsigned(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tun.ko")
	if err := os.WriteFile(file, signed("module", 70, 70), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := Module{Name: "tun", File: file}.ReadUnsigned()
	if err != nil || string(data) != "module" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := (Module{Name: "tun", File: file + "x"}).ReadUnsigned(); err == nil {
		t.Error("a file that is not there gave no error")
	}
}

func TestWantsSignatures(t *testing.T) {
	cases := map[string]bool{
		"CONFIG_MODULE_SIG=y\n# CONFIG_MODULE_SIG_FORCE is not set\nCONFIG_LOCK_DOWN_KERNEL_FORCE_NONE=y\n": false,
		"CONFIG_MODULE_SIG_FORCE=y\n":                         true,
		"A=y\nCONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y\nB=y": true,
		"": false,
	}
	for config, want := range cases {
		k := &Kernel{Config: filepath.Join(t.TempDir(), "config")}
		if err := os.WriteFile(k.Config, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := k.WantsSignatures(); err != nil || got != want {
			t.Errorf("%q: %t, %v", config, got, err)
		}
	}
	if got, err := (&Kernel{}).WantsSignatures(); err != nil || !got {
		t.Errorf("no config: %t, %v", got, err)
	}
}
