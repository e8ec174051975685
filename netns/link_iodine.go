// SPDX-License-Identifier: GPL-2.0-only

package netns

import "context"

// createIodine starts an iodined and waits for its TUN.
func createIodine(ctx context.Context, lk *link) error {
	p, err := startIodine(ctx, lk.space, lk.Common)
	lk.process = p
	return err
}
