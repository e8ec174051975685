// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"skleak/record"
	"skleak/scenarios"
)

// knowConfig adds what the guest could not read of its kernel: the configuration
// is on this side.
func (v VM) knowConfig(t *record.Trace) {
	if t.Facts == nil || len(t.Facts.Config) > 0 {
		return
	}
	for _, sc := range v.all {
		if sc.Name == t.Scenario {
			t.Facts.Config = record.ConfigLines(v.Config, scenarios.ConfigOptions(sc))
		}
	}
}
