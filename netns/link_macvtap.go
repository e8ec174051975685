// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// Macvtap makes a macvtap on its parent and opens its character device
// (drivers/net/macvtap.c).
func (b linkBuild) Macvtap(o *scenarios.MacvtapOptions) error {
	w, lk := b.world, b.lk
	l, err := w.macvlan(lk, &o.MacvlanOptions)
	if err != nil {
		return err
	}
	if err := lk.add(&netlink.Macvtap{Macvlan: l}); err != nil {
		return err
	}
	t, err := openMacvtap(lk.space, lk.Name, o.Reader)
	lk.tunnel, lk.reader = t, o.Reader.Mode
	return err
}
