// SPDX-License-Identifier: GPL-2.0-only

package experiment

import (
	"compress/gzip"
	"io"
	"os"
	"strconv"
	"strings"

	"skleak/record"
	"skleak/scenarios"
)

// maxConfig bounds a kernel's configuration in bytes.
const maxConfig = 4 << 20

// facts looks up what a report wants to know of the running kernel. Whoever runs
// a guest may know more.
func facts(sc scenarios.Scenario, k record.Kernel) *record.Facts {
	f := &record.Facts{}
	if text, err := os.ReadFile("/proc/sys/kernel/tainted"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			f.Tainted = n
		}
	}
	f.Config = record.ConfigLines(kernelConfig(k.Release), scenarios.ConfigOptions(sc))
	return f
}

// kernelConfig is the configuration of the running kernel, where a distribution
// or the kernel itself (CONFIG_IKCONFIG_PROC) has it; nil for none.
func kernelConfig(release string) []byte {
	if f, err := os.Open("/proc/config.gz"); err == nil {
		defer func() { _ = f.Close() }()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(z, maxConfig))
		if err != nil {
			return nil
		}
		return text
	}
	text, err := os.ReadFile("/boot/config-" + release)
	if err != nil {
		return nil
	}
	return text
}
