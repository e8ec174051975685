package verdict

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// Who named the holder, where a ledger was kept.
const (
	byLadder = "ladder"
	byLedger = "ledger"
	byBoth   = "ladder and ledger"
	// byNeither: they differ, and Holder has both.
	byNeither = "they differ"
)

// consult holds what the ladder named against where the ledger saw the skbs.
func (f *Finding) consult(t record.Trace) {
	if t.Ledger == nil || f.HeldBytes == 0 {
		return
	}
	ladder, seen := f.Holder, ledgerHolder(t)
	switch {
	case seen == "":
		if ladder != "" {
			f.HolderBy = byLadder
		}
	case ladder == "" || f.Verdict == record.Leaked && leftCharged(t) > 0:
		// No rung let go, so the ladder has nothing to say.
		f.Holder, f.HolderBy = seen, byLedger
	case sameHolders(ladder, seen):
		f.HolderBy = byBoth
	default:
		f.Holder = fmt.Sprintf("%s (ladder) or %s (ledger)", ladder, seen)
		f.HolderBy = byNeither
	}
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
		return "; ladder and ledger differ on who held"
	default:
		return ""
	}
}
