// SPDX-License-Identifier: GPL-2.0-only

package netns

import "skleak/scenarios"

// LowerLinks names the links lk is built upon.
func (lk *link) LowerLinks() []string { return lk.lower }

// PeerLink is a veth's other end; nil for none.
func (lk *link) PeerLink() *link { return lk.peer }

func (w *World) stacking() scenarios.Stacking[*link] {
	return scenarios.Stacking[*link]{Links: w.links, Via: w.via}
}

func (w *World) find(netns, name string) *link { return w.stacking().Find(netns, name) }
