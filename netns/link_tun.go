// SPDX-License-Identifier: GPL-2.0-only

package netns

import "skleak/scenarios"

// createTun makes a tun, or a tap, and starts its reader.
func createTun(lk *link, o scenarios.TunOptions, tap bool) error {
	t, err := openTun(lk.space, lk.Common, o, tap)
	lk.tunnel, lk.reader = t, o.Reader.Mode
	return err
}
