// SPDX-License-Identifier: GPL-2.0-only

package netns

import "skleak/scenarios"

// Tun makes a tun.
func (b linkBuild) Tun(o *scenarios.TunOptions) error { return createTun(b.lk, *o, false) }

// Tap makes a tap.
func (b linkBuild) Tap(o *scenarios.TapOptions) error { return createTun(b.lk, o.TunOptions, true) }

// createTun makes a tun, or a tap, and starts its reader.
func createTun(lk *link, o scenarios.TunOptions, tap bool) error {
	t, err := openTun(lk.space, lk.Common, o, tap)
	lk.tunnel, lk.reader = t, o.Reader.Mode
	return err
}
