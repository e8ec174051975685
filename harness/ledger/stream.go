// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"cmp"
	"slices"
)

// stream is events that were read and not booked, from taken on.
type stream struct {
	pending []Event
	taken   int
}

// order sorts what is pending: an interrupt that comes between the reading of a
// clock and the writing of the record writes its own, later ones first.
func (s *stream) order() {
	byTime := func(a, b Event) int { return cmp.Compare(a.At, b.At) }
	if rest := s.pending[s.taken:]; !slices.IsSortedFunc(rest, byTime) {
		slices.SortStableFunc(rest, byTime)
	}
}

// merge hands out what is pending in all streams up to a time, by time.
func merge(streams []*stream, until int64, add func(Event)) {
	for _, s := range streams {
		s.order()
	}
	for {
		var first *stream
		for _, s := range streams {
			if s.taken < len(s.pending) && s.pending[s.taken].At <= until &&
				(first == nil || s.pending[s.taken].At < first.pending[first.taken].At) {
				first = s
			}
		}
		if first == nil {
			break
		}
		add(first.pending[first.taken])
		first.taken++
	}
	for _, s := range streams {
		s.pending, s.taken = slices.Delete(s.pending, 0, s.taken), 0
	}
}
