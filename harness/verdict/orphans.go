package verdict

import (
	"fmt"
	"strings"

	"skleak/record"
)

// Below these a rough skb count proves nothing: per-CPU caches keep some, and a
// sandbox that no longer sends may let go of, or hold again, a few hundred.
const (
	orphanLeastSent  = 2000
	orphanLeastShare = 0.75
)

// orphanLeast is for a count that gave back what CPUs had in hand. NAPI keeps
// up to 64 skbs for each CPU; 44 were the most seen in a sound guest.
const orphanLeast = 256

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
	return max(t.Orphans.After-t.Orphans.Before, 0), true
}

// orphaned expects that nothing is charged any more.
func orphaned(t record.Trace) bool {
	if _, ok := leftOver(t); ok {
		return ledgerOrphaned(t)
	}
	n, ok := orphans(t)
	// NB: patience is when others send, so what is counted then is not all ours.
	if ok && t.Orphans.By == "/sys/kernel/slab" && t.Patience == nil {
		return n >= orphanLeast
	}
	// What was refused was made too, and may have been copied and lost.
	made := t.Sent + refusals(t)
	return ok && made >= orphanLeastSent && float64(n) >= orphanLeastShare*float64(made)
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

// orphanReason says who counted.
func orphanReason(t record.Trace, f Finding) string {
	text := fmt.Sprintf("nothing is charged, yet %s skbs of %s sent never came free", f.Orphans, count(t.Sent, "packet"))
	if !ledgerOrphaned(t) {
		return text + fmt.Sprintf(" (%s: %d before, %d after)", t.Orphans.By, t.Orphans.Before, t.Orphans.After)
	}
	var at []string
	for _, p := range t.Ledger.LeftAt {
		at = append(at, fmt.Sprintf("%d last seen at %s", p.Count, p.Place))
	}
	return text + " (" + strings.Join(append([]string{"ledger"}, at...), ", ") + ")"
}
