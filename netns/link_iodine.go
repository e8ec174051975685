// SPDX-License-Identifier: GPL-2.0-only

package netns

import "skleak/scenarios"

// Iodine starts an iodined and waits for its TUN.
func (b linkBuild) Iodine(_ *scenarios.IodineOptions) error {
	ctx, lk := b.ctx, b.lk
	p, err := startIodine(ctx, lk.space, lk.Common)
	lk.process = p
	return err
}
