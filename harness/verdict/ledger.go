package verdict

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// Who named the holder.
const (
	byLadder = "ladder"
	byLedger = "ledger"
	byBoth   = "ladder and ledger"
	byStages = "stages"
	// byStagesToo: what the stages have is where the ledger saw the skbs.
	byStagesToo = "stages and ledger"
	// byNeither: they differ, and Holder has both.
	byNeither = "they differ"
)

// Fewer skbs than these left over by the ledger's own count prove nothing: a
// kernel may have a way to free that no tracepoint tells of.
const (
	ledgerLeastLeft  = 10
	ledgerLeastShare = 0.01
)

// consult holds what the ladder or the stages named against where the ledger saw
// the skbs.
func (f *Finding) consult(t record.Trace) {
	if f.Verdict == record.Leaked && leftCharged(t) > 0 {
		f.consultStages(t)
		return
	}
	if t.Ledger == nil || f.HeldBytes == 0 {
		return
	}
	ladder, seen := f.Holder, ledgerHolder(t)
	switch {
	case seen == "":
		if ladder != "" {
			f.HolderBy = byLadder
		}
	case ladder == "":
		f.Holder, f.HolderBy = seen, byLedger
	case sameHolders(ladder, seen):
		f.HolderBy = byBoth
	default:
		f.Holder = fmt.Sprintf("%s (ladder) or %s (ledger)", ladder, seen)
		f.HolderBy = byNeither
	}
}

// consultStages is for a leak: no rung freed it, so the ladder has nothing to say.
func (f *Finding) consultStages(t record.Trace) {
	seen := ""
	if t.Ledger != nil {
		seen = ledgerHolder(t)
	}
	s := f.suspect
	switch {
	case seen == "":
		if s.holder != record.NotKnown {
			f.HolderBy = byStages
		}
	case s.holder == record.NotKnown:
		f.Holder, f.HolderBy = seen, byLedger
	case s.single && sameHolders(s.holder, seen), !s.single && s.comprises(seen):
		f.Holder, f.HolderBy = seen, byStagesToo
	default:
		f.Holder = fmt.Sprintf("%s (stages) or %s (ledger)", s.holder, seen)
		f.HolderBy = byNeither
	}
}

// comprises reports whether all that the ledger named lies in the span.
func (s suspect) comprises(seen string) bool {
	for _, place := range strings.Split(seen, joiner) {
		if !s.span.covers(place) {
			return false
		}
	}
	return true
}

const joiner = " and "

// ledgerHolder is where the charged skbs were, by the same shares that the
// ladder goes by; "" where the ledger does not account for all.
func ledgerHolder(t record.Trace) string {
	if t.Ledger.Incomplete != "" {
		return ""
	}
	total := 0
	for _, p := range t.Ledger.Places {
		if p.Charged {
			total += max(p.Count, 0)
		}
	}
	var names []string
	for _, p := range t.Ledger.Places {
		switch share := float64(p.Count) / float64(max(total, 1)); {
		case !p.Charged || share < partShare:
		case share >= aloneShare:
			return p.Place
		default:
			names = appendNew(names, p.Place)
		}
	}
	return strings.Join(names, joiner)
}

func sameHolders(a, b string) bool {
	x, y := strings.Split(a, joiner), strings.Split(b, joiner)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// ledgerRemark is what a reader must know of the ledger beside the verdict.
func ledgerRemark(t record.Trace, f Finding) string {
	switch {
	case t.Ledger == nil:
		return ""
	case t.Ledger.Incomplete != "":
		return "; ledger incomplete: " + t.Ledger.Incomplete
	case f.HolderBy == byNeither:
		if f.suspect.holder != "" {
			return "; stages and ledger differ on who held"
		}
		return "; ladder and ledger differ on who held"
	default:
		return ""
	}
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
