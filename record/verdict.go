// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"path"
	"slices"
	"strings"
)

// Verdict says what a link did with what a socket sent through it.
type Verdict string

// The verdicts, in order of precedence: where two apply, the earlier counts.
const (
	// Underflow: sk_wmem_alloc was taken below zero. Being a refcount_t it
	// saturates at 0xC0000000 and the socket is unwritable for ever.
	Underflow Verdict = "underflow"
	// Leaked: something stays charged after every rung short of closing the
	// socket, or the closed socket stays pinned by a lost skb.
	Leaked Verdict = "leaked"
	// Orphaned: the charge went, but the skbs were never freed. Claimed only
	// where it can be measured.
	Orphaned Verdict = "orphaned"
	// LostWakeup: a waiter parked in poll sleeps on while a fresh poll says
	// writable (fixed upstream for partial orphans by 9adc89af724f, v5.12).
	LostWakeup Verdict = "lost-wakeup"
	// Stalled: held at the end of settling and poll says not writable; what
	// silenced ospfd.
	Stalled Verdict = "stalled"
	// Held: held at the end of settling, still writable, and a rung frees all.
	Held Verdict = "held"
	// Refused: sends fail, or are dropped without charge.
	Refused Verdict = "refused"
	// Clean: nothing of the above.
	Clean Verdict = "clean"
)

// Verdicts lists every verdict in order of precedence.
func Verdicts() []Verdict {
	return []Verdict{Underflow, Leaked, Orphaned, LostWakeup, Stalled, Held, Refused, Clean}
}

// Valid reports whether v is one of Verdicts.
func (v Verdict) Valid() bool { return slices.Contains(Verdicts(), v) }

// Status says how a verdict compares with what a sound kernel shows.
type Status string

// The statuses.
const (
	// Pass: as expected.
	Pass Status = "pass"
	// XFail: not as expected, but exactly the defect the scenario names as known:
	// its verdict, its holder, on a kernel that may still have it.
	XFail Status = "xfail"
	// Fail: neither.
	Fail Status = "fail"
	// Skip: a feature is missing; Result.Reason says which and how to get it.
	Skip Status = "skip"
	// Broken: a control did not behave, so no verdict of the run can be trusted.
	Broken Status = "broken"
	// Error: trouble of ours, never a verdict.
	Error Status = "error"
)

// Statuses lists every status.
func Statuses() []Status { return []Status{Pass, XFail, Fail, Skip, Broken, Error} }

// JoinVerdicts is how a report names the verdicts a sound kernel may show:
// "clean or refused".
func JoinVerdicts(list []Verdict) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, " or ")
}

// NotKnown stands for a holder that no evidence names.
const NotKnown = "not known"

// HolderMatches reports whether a holder is the one that pattern means. The
// pattern is one of path.Match; NotKnown means a result that names nobody.
func HolderMatches(pattern, holder string) bool {
	if pattern == NotKnown && holder == "" {
		return true
	}
	same, err := path.Match(pattern, holder)
	return err == nil && same
}

// Vague reports whether a holder is but a part of the way, "between A and B" or
// "after A", or not known: the ledger can say more.
func Vague(holder string) bool {
	return holder == NotKnown || strings.HasPrefix(holder, "between ") || strings.HasPrefix(holder, "after ")
}

// NeedsHolder reports whether a verdict says that somebody holds, or did, and is
// only half told without saying who.
func (v Verdict) NeedsHolder() bool {
	return slices.Contains([]Verdict{Leaked, Held, Stalled, LostWakeup}, v)
}

// ValidPattern reports whether pattern can be matched with holders.
func ValidPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil
}
