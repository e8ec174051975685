// SPDX-License-Identifier: GPL-2.0-only

package story

import "strconv"

// Args are what the script is called with.
func (v Variant) Args() []string {
	yes := map[bool]string{true: "yes", false: "no"}
	return []string{
		"daemon=" + v.Daemon, "iodined=" + yes[v.Iodined], "passive=" + yes[v.Passive], "seconds=" + strconv.Itoa(v.Seconds),
	}
}
