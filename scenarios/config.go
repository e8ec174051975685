// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "slices"

// ConfigOptions are the kernel options that matter to a scenario: those it needs,
// and those by which kernels differ in how they hand packets over.
func ConfigOptions(s Scenario) []string {
	options := []string{
		"CONFIG_SMP", "CONFIG_PREEMPT_NONE", "CONFIG_PREEMPT_VOLUNTARY", "CONFIG_PREEMPT", "CONFIG_PREEMPT_LAZY",
		"CONFIG_PREEMPT_RT", "CONFIG_HZ", "CONFIG_HIGH_RES_TIMERS", "CONFIG_NET_SCHED", "CONFIG_DEFAULT_NET_SCH",
		"CONFIG_BQL", "CONFIG_DEBUG_NET", "CONFIG_PROVE_LOCKING", "CONFIG_KASAN",
	}
	for _, n := range Needs(s) {
		for _, o := range n.Config {
			if !slices.Contains(options, o) {
				options = append(options, o)
			}
		}
	}
	return options
}
