// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"fmt"

	"skleak/kernels"
	"skleak/scenarios"
)

// ModulesOf gives the modules of k that a scenario's links, qdiscs and filters
// need, and those that these need, by the names the kernel has for them. What
// is built in is not among them.
func ModulesOf(k *kernels.Kernel, sc scenarios.Scenario) ([]string, error) {
	var w wanted
	w.scenario(sc)
	order, err := loadOrder(k, w)
	if err != nil {
		return nil, fmt.Errorf("modules of scenario %s on kernel %s: %w", sc.Name, k.Name, err)
	}
	var names []string
	for _, m := range order {
		names = append(names, m.Name)
	}
	return names, nil
}
