package ledger

import "slices"

// stream is events in the order of their time, read and not booked, from taken on.
type stream struct {
	pending []Event
	taken   int
}

// merge hands out what is pending in all streams up to a time, by time.
func merge(streams []*stream, until int64, add func(Event)) {
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
