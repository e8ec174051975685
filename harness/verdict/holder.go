// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"slices"
	"strings"

	"skleak/record"
)

// Shares of what was held when the ladder began.
const (
	// aloneShare is what one rung must free to be named alone.
	aloneShare = 0.9
	// partShare is what a rung must free to be named beside others.
	partShare = 0.1
	// togetherShare is what the named rungs must free between them; else time did it.
	togetherShare = 0.5
	// driftTimes is by how much a rung must outdo what the charge did by itself.
	driftTimes = 3
)

// name sets Holder and ReleasedBy from the ladder.
func (f *Finding) name(t record.Trace) {
	switch {
	case f.Verdict == record.Leaked:
		f.ReleasedBy = "nothing"
		f.suspect = leaker(t)
		f.Holder = f.suspect.holder
	case f.HeldBytes == 0 && f.Verdict != record.LostWakeup:
	case t.InPlace:
		if f.SelfReleaseMs != nil {
			f.ReleasedBy = "time"
		}
	default:
		f.Holder, f.ReleasedBy = letGo(t)
		if f.Verdict == record.LostWakeup && f.Holder == "" {
			f.Holder = record.NotKnown
		}
	}
}

// letGo names who held and which rungs freed it. A rung has no claim to what
// would have gone without it.
func letGo(t record.Trace) (holder, by string) {
	if len(t.Rungs) == 0 || t.Rungs[0].Before <= 0 {
		return "", "time"
	}
	total := float64(t.Rungs[0].Before)
	var parts []record.RungTrace
	var freed float64
	for _, r := range t.Rungs {
		drop := float64(r.Before) - float64(r.After)
		if r.Error != "" || drop <= driftTimes*float64(r.Drift) {
			continue
		}
		switch {
		case drop >= aloneShare*total:
			return r.Holder, string(r.Rung)
		case drop >= partShare*total:
			parts = append(parts, r)
			freed += drop
		}
	}
	if len(parts) == 0 || freed < togetherShare*total {
		return "", "time"
	}
	var holders, rungs []string
	for _, r := range parts {
		holders = appendNew(holders, r.Holder)
		rungs = appendNew(rungs, string(r.Rung))
	}
	return strings.Join(holders, " and "), strings.Join(rungs, " and ")
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
