// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSimulation(t *testing.T) {
	text := "Reading package lists...\nInst gcc-14-base (14.2.0-19 Debian:13.1/stable [amd64])\n" +
		"Inst libc6 (2.41-12 Debian:13.1/stable [amd64]) []\nInst linux-kbuild-6.12 (6.12.48-1 Debian:13.1/stable [amd64])\n" +
		"Inst broken\nConf libc6 (2.41-12 Debian:13.1/stable [amd64])\n"
	want := []Package{{Name: "gcc-14-base", Version: "14.2.0-19"}, {Name: "libc6", Version: "2.41-12"}}
	if diff := cmp.Diff(want, readSimulation(text, "linux-kbuild-6.12")); diff != "" {
		t.Error(diff)
	}
}
