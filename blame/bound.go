// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"strings"

	"skleak/record"
	"skleak/snapshot"
)

// byBound: one place has so many packets, and all others together can have so few,
// that most of those that are charged must be in it, whosever the rest there are.
// What a packet costs was measured.
func (f *Finding) byBound(r Reading) bool {
	if !r.Steady || r.Truesize <= 0 || r.Charge%r.Truesize != 0 {
		return false
	}
	charged := int(r.Charge / r.Truesize)
	if charged < least || len(f.Waiting) == 0 || f.Waiting[0].Packets < charged {
		return false
	}
	most := f.Waiting[0]
	others, words, ok := elsewhere(r, f.Waiting[1:], most.Link)
	if !ok || others*2 > charged {
		return false
	}
	most.Packets, most.Bytes = charged-others, int64(charged-others)*r.Truesize
	f.Holders, f.By = []Holder{most}, "bound"
	f.Reason = fmt.Sprintf("%d bytes are %d packets of %d, what one costs here (measured); %d packets wait there, and everywhere else can be %d at the most%s: at least %d of the %d are there",
		r.Charge, charged, r.Truesize, f.Waiting[0].Packets, others, words, charged-others, charged)
	return true
}

// elsewhere is how many packets may be anywhere but in the place of a link; ok is
// false where that is not known.
func elsewhere(r Reading, waiting []Holder, link string) (most int, words string, ok bool) {
	var parts []string
	for _, h := range waiting {
		if h.Packets < 0 {
			return 0, "", false
		}
		most += h.Packets
		parts = append(parts, fmt.Sprintf("%d in %s", h.Packets, h.Name))
	}
	for _, l := range r.Facts.Links {
		if l.Loopback || !l.Up {
			continue
		}
		n, ok := ring(r, l)
		if !ok {
			return 0, "", false
		}
		if n > 0 && l.Name != link {
			most += n
			parts = append(parts, fmt.Sprintf("%d in the ring of %s", n, l.Name))
		}
	}
	if len(parts) > 0 {
		words = " (" + strings.Join(parts, ", ") + ")"
	}
	return most, words, true
}

// ring is how many packets a driver can keep that no queue shows.
func ring(r Reading, l snapshot.Link) (packets int, ok bool) {
	if n, told := r.Rings[l.Name]; told {
		return n, true
	}
	traits := record.TraitsOf(l.Kind)
	return 0, l.Kind != "" && (traits.Passes || traits.Read)
}
