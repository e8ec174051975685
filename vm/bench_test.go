// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"io"
	"testing"
)

// BenchmarkHello is a boot to the first word of the worker and power off.
func BenchmarkHello(b *testing.B) {
	for _, kernel := range realKernels() {
		b.Run(kernel, func(b *testing.B) {
			v := realVM(b, kernel)
			for b.Loop() {
				if err := v.hello(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkInitramfs writes the initramfs of the whole catalogue.
func BenchmarkInitramfs(b *testing.B) {
	v := realVM(b, "debian:6.12")
	v.all = catalogue(b)
	for b.Loop() {
		if err := v.initramfs(request{Mode: ModeRun}, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
