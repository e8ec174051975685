// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"context"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// job is a run on one kernel, in so many guests of those that may run at once.
type job struct {
	guests int
	do     func(ctx context.Context) error
}

// schedule does the jobs in their order, as soon as the guests of each are free.
// One is done too when ctx has ended, to say so. The first error ends ctx for the
// others and is that of all.
func schedule(ctx context.Context, parallel int, jobs []job) error {
	parallel = max(parallel, 1)
	slots := semaphore.NewWeighted(int64(parallel))
	group, ctx := errgroup.WithContext(ctx)
	for _, one := range jobs {
		guests := int64(min(one.guests, parallel))
		taken := slots.Acquire(ctx, guests) == nil
		group.Go(func() error {
			if taken {
				defer slots.Release(guests)
			}
			return one.do(ctx)
		})
	}
	return group.Wait()
}

// shares says how many guests each of n kernels gets, in their order, where so
// many guests run at once. The kernels of a last round that is not full share
// what would stand idle.
func shares(n, guests int) []int {
	out := make([]int, n)
	for i := range out {
		round := min(guests, n-i/guests*guests)
		out[i] = guests / round
		if i%guests < guests%round {
			out[i]++
		}
	}
	return out
}
