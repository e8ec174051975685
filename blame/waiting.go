// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"cmp"
	"fmt"
	"slices"

	"skleak/record"
	"skleak/snapshot"
)

// Waiting lists where packets wait, the fullest first: qdiscs, the rings of TUN and
// TAP, NFQUEUEs, and neighbours that do not answer, whose queues no file counts.
func Waiting(f snapshot.Facts) []Holder {
	var out []Holder
	for _, l := range f.Links {
		out = append(out, onLink(f, l)...)
	}
	for _, q := range f.Queues {
		if q.Waiting > 0 {
			out = append(out, Holder{Name: fmt.Sprintf("nfqueue %d", q.Number), Kind: "nfqueue", Packets: q.Waiting})
		}
	}
	slices.SortStableFunc(out, func(a, b Holder) int { return cmp.Compare(b.Packets, a.Packets) })
	return out
}

func onLink(f snapshot.Facts, l snapshot.Link) (out []Holder) {
	for _, q := range f.Qdiscs {
		if q.Link == l.Index && q.QLen > 0 && !hasChildren(f, q) {
			out = append(out, Holder{
				Name: "qdisc " + q.Kind + " on " + l.Name, Link: l.Name, Kind: "qdisc", Packets: int(q.QLen), wire: int64(q.Backlog),
			})
		}
	}
	if record.TraitsOf(l.Kind).Read {
		if n := f.InRing(l); n > 0 {
			out = append(out, Holder{Name: "reader of " + l.Name, Link: l.Name, Kind: "reader", Packets: n})
		}
	}
	for _, n := range f.Neighbours {
		if n.Link == l.Index && (n.State == "INCOMPLETE" || n.State == "FAILED") {
			out = append(out, Holder{Name: "neighbour " + n.Address + " on " + l.Name, Link: l.Name, Kind: "neighbour", Packets: -1})
		}
	}
	return out
}

// hasChildren: a classful qdisc counts what waits below it as well.
func hasChildren(f snapshot.Facts, q snapshot.Qdisc) bool {
	return slices.ContainsFunc(f.Qdiscs, func(o snapshot.Qdisc) bool {
		return o.Link == q.Link && o.Parent>>16 == q.Handle>>16 && o.Handle != q.Handle && o.QLen > 0
	})
}

// grew is by how many packets each place grew, those alone that did.
func grew(before, after []Holder) []Holder {
	var out []Holder
	for _, h := range after {
		for _, old := range before {
			if old.Name == h.Name {
				h.Packets, h.wire = h.Packets-max(old.Packets, 0), h.wire-old.wire
			}
		}
		if h.Packets > 0 {
			out = append(out, h)
		}
	}
	return out
}
