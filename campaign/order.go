// SPDX-License-Identifier: GPL-2.0-only

package campaign

import "skleak/scenarios"

// Split parts the catalogue into scenarios to report on and controls.
func Split(catalogue []scenarios.Scenario) (list, controls []scenarios.Scenario) {
	for _, sc := range catalogue {
		if sc.Control == scenarios.NotControl {
			list = append(list, sc)
		} else {
			controls = append(controls, sc)
		}
	}
	return list, controls
}
