// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"

	"skleak/record"
)

// Step is one rung of the ladder: it undoes one thing.
type Step struct {
	Rung record.RungKind
	// On says what it acts on: "tbf on v0".
	On string
	// Holder is the name to give if this step lets go: "qdisc tbf on v0".
	Holder string
	// Backlog is the bytes waiting in the qdisc it acts on; 0 for other rungs.
	Backlog int64
	// Do undoes the thing. What is already gone is no error.
	Do func(context.Context) error
}
