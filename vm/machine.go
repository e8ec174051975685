// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"iter"

	"skleak/record"
	"skleak/scenarios"
)

// About is what is known of the kernel before it has said anything.
func (v VM) About() record.Kernel {
	return record.Kernel{Release: v.Kernel.Release, Arch: "x86_64", Source: string(v.Kernel.Name), Config: v.ConfigSum}
}

// RunIn is Run in up to so many guests.
func (v VM) RunIn(ctx context.Context, guests int, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	v.Guests = guests
	return v.Run(ctx, list)
}

// Explain is err with the evidence of a guest's trouble, on lines of its own.
func (v VM) Explain(err error) string { return Explain(err) }
