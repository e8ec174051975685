// SPDX-License-Identifier: GPL-2.0-only

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

// consult holds what the ladder or the stages named against where the ledger saw
// the skbs.
func (f *Finding) consult(t record.Trace) {
	if f.Verdict == record.Leaked && leftCharged(t) > 0 {
		f.consultStages(t)
		return
	}
	if f.Verdict == record.Leaked {
		f.consultPinned(t)
		return
	}
	if t.Ledger == nil || f.HeldBytes == 0 {
		return
	}
	ladder, seen := f.Holder, ledgerHolder(t, false)
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
		seen = ledgerHolder(t, true)
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

// consultPinned is for a socket that is pinned by packets it is not charged with:
// of these only the ledger knows, where they were when all else was gone.
func (f *Finding) consultPinned(t record.Trace) {
	f.Holder = record.NotKnown
	if t.Ledger == nil || t.Ledger.Incomplete != "" || t.Ledger.Lost > 0 {
		return
	}
	if seen := mostOf(t.Ledger.LeftAt, func(record.LedgerPlace) bool { return true }); seen != "" {
		f.Holder, f.HolderBy = seen, byLedger
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

// missed says what happened to skbs that the ledger has no sample of; "" for nothing.
func missed(l record.Ledger) string {
	switch {
	case l.Lost > 0:
		return fmt.Sprintf("%d samples were lost", l.Lost)
	case l.Late > 0:
		return fmt.Sprintf("%d samples came out of order", l.Late)
	case l.Unseen > 0:
		return fmt.Sprintf("%s went where no tracepoint tells", count(l.Unseen, "skb"))
	default:
		return ""
	}
}

// ledgerHolder is where the charged skbs were, by the same shares that the
// ladder goes by; "" where the ledger does not account for all. What leaked is
// looked for where it was after the ladder, if that account adds up.
func ledgerHolder(t record.Trace, leaked bool) string {
	if t.Ledger.Incomplete != "" {
		return ""
	}
	places := t.Ledger.Places
	if leaked && t.Ledger.AfterCharge > 0 && sumOf(t.Ledger.After) == t.Ledger.AfterCharge {
		places = t.Ledger.After
	}
	return mostOf(places, func(p record.LedgerPlace) bool { return p.Charged })
}

// mostOf are the places where most of the skbs that count are; "" for none.
func mostOf(places []record.LedgerPlace, counts func(record.LedgerPlace) bool) string {
	total := 0
	for _, p := range places {
		if counts(p) {
			total += max(p.Count, 0)
		}
	}
	var names []string
	for _, p := range places {
		switch share := float64(p.Count) / float64(max(total, 1)); {
		case !counts(p) || share < partShare:
		case share >= aloneShare:
			return p.Place
		default:
			names = appendNew(names, p.Place)
		}
	}
	return strings.Join(names, joiner)
}

func sumOf(places []record.LedgerPlace) (bytes int64) {
	for _, p := range places {
		bytes += p.Bytes
	}
	return bytes
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
	case missed(*t.Ledger) != "":
		return "; ledger incomplete: " + missed(*t.Ledger)
	case f.HolderBy == byNeither:
		if f.suspect.holder != "" {
			return "; stages and ledger differ on who held"
		}
		return "; ladder and ledger differ on who held"
	default:
		return ""
	}
}
