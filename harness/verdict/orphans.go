// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// Below these a rough skb count proves nothing: per-CPU slabs keep some.
const (
	orphanLeastSent  = 2000
	orphanLeastShare = 0.75
)

// bySlab is the count that gave back what CPUs had in hand. Only NAPI's cache is
// left in it then: up to 64 skbs of each CPU (net/core/skbuff.c,
// NAPI_SKB_CACHE_SIZE), filled by 16 and emptied by 32. A guest has one CPU.
const bySlab = "/sys/kernel/slab"

// How many skbs more than before prove a loss in a count by slab.
const (
	// OrphanLeast proves it in one burst; 28 were the most seen in a sound guest
	// without a network card, 77 with one.
	OrphanLeast = 256
	// OrphanStep is what each of several bursts must leave behind; a cache that is
	// full takes no more.
	OrphanStep = 8
	// orphanGrowth is what the bursts after the first must add up to: once and a
	// half what a cache could still take if the first had found it empty.
	orphanGrowth = 96
	// orphanBursts bounds them, orphanLeastBursts is that a growth is a row.
	orphanBursts      = 12
	orphanLeastBursts = 3
)

// Fewer skbs than these left over by the ledger's own count prove nothing: a
// kernel may have a way to free that no tracepoint tells of.
const (
	ledgerLeastLeft  = 10
	ledgerLeastShare = 0.01
)

// orphans is how many skbs never came free, where that can be believed: the
// ledger's count, else that of a machine that is known to be quiet.
func orphans(t record.Trace) (int64, bool) {
	if n, ok := leftOver(t); ok {
		return int64(n), true
	}
	if t.Orphans == nil || !t.Quiet {
		return 0, false
	}
	n := t.Orphans.After - t.Orphans.Before
	if steps := againSteps(*t.Orphans); len(steps) > 0 && !lostEachTime(*t.Orphans) {
		// A cache took what was more: the burst that left least tells.
		n = min(n, slices.Min(steps))
	}
	return max(n, 0), true
}

// orphaned expects that nothing is charged any more.
func orphaned(t record.Trace) bool {
	if _, ok := leftOver(t); ok {
		return ledgerOrphaned(t)
	}
	n, ok := orphans(t)
	if !ok {
		return false
	}
	if t.Orphans.By == bySlab {
		return n >= OrphanLeast || lostEachTime(*t.Orphans)
	}
	// What was refused was made too, and may have been copied and lost.
	made := t.Sent + refusals(t)
	return made >= orphanLeastSent && float64(n) >= orphanLeastShare*float64(made)
}

// againSteps are how many skbs more there were after each further burst.
func againSteps(c record.SkbCount) []int64 {
	var steps []int64
	before := c.After
	for _, b := range c.Again {
		steps = append(steps, b.After-before)
		before = b.After
	}
	return steps
}

// lostEachTime reports that burst after burst left skbs behind, more in all than
// any cache takes.
func lostEachTime(c record.SkbCount) bool {
	steps := againSteps(c)
	return c.By == bySlab && c.After-c.Before >= OrphanStep && len(steps) >= orphanLeastBursts &&
		slices.Min(steps) >= OrphanStep && c.Again[len(c.Again)-1].After-c.After >= orphanGrowth
}

// OrphansUnsettled reports that one more burst would tell more about c: it was
// higher each time, and neither proves a loss nor was a burst without.
func OrphansUnsettled(c record.SkbCount) bool {
	first, steps := c.After-c.Before, againSteps(c)
	if c.By != bySlab || first < OrphanStep || first >= OrphanLeast || len(steps) >= orphanBursts {
		return false
	}
	return len(steps) == 0 || slices.Min(steps) >= OrphanStep && !lostEachTime(c)
}

// leftOver is how many skbs the ledger saw outlive everything.
func leftOver(t record.Trace) (n int, ok bool) {
	if t.Ledger == nil || t.Ledger.Left == nil || t.Ledger.Lost > 0 {
		return 0, false
	}
	return max(*t.Ledger.Left, 0), true
}

func ledgerOrphaned(t record.Trace) bool {
	n, ok := leftOver(t)
	return ok && n >= ledgerLeastLeft && float64(n) >= ledgerLeastShare*float64(t.Sent)
}

// madeFor is how many packets were sent while the skbs were counted.
func madeFor(t record.Trace) int {
	if !ledgerOrphaned(t) && t.Orphans != nil && t.Orphans.Sent > 0 {
		return t.Orphans.Sent
	}
	return t.Sent
}

// orphanReason says who counted.
func orphanReason(t record.Trace, f Finding) string {
	text := fmt.Sprintf("nothing is charged, yet %s skbs of %s sent never came free", f.Orphans, count(madeFor(t), "packet"))
	if !ledgerOrphaned(t) {
		text += fmt.Sprintf(" (%s: %d before, %d after", t.Orphans.By, t.Orphans.Before, t.Orphans.After)
		if lostEachTime(*t.Orphans) {
			steps := againSteps(*t.Orphans)
			text += fmt.Sprintf("; each of %d more bursts left %d to %d more", len(steps), slices.Min(steps), slices.Max(steps))
		}
		return text + ")"
	}
	var at []string
	for _, p := range t.Ledger.LeftAt {
		at = append(at, fmt.Sprintf("%d last seen at %s", p.Count, p.Place))
	}
	return text + " (" + strings.Join(append([]string{"ledger"}, at...), ", ") + ")"
}
