package verdict

import (
	"slices"

	"skleak/record"
)

// leastPacket is an IPv4 header in bytes: a backlog of less than that for each
// packet lost is not made of them.
const leastPacket = 20

// rootParent is the Parent of a root qdisc in a State.
const rootParent = "root"

// leaker names what a leak is laid to. No rung let go, so no rung can tell: it
// is a qdisc whose own counters come to the very number of packets lost, else
// the driver of the uppermost link.
func leaker(t record.Trace) string {
	if name := losingQdisc(t); name != "" {
		return name
	}
	for _, r := range t.Rungs {
		if r.Rung == record.RungDelete {
			return "driver of " + r.On
		}
	}
	return ""
}

// losingQdisc is the one qdisc that lost as many packets as were leaked; "" for
// none, or for more than one.
func losingQdisc(t record.Trace) string {
	if leftCharged(t) == 0 || len(t.State) == 0 {
		return ""
	}
	lost := lostPackets(t)
	var names []string
	for _, q := range t.State[0].Qdiscs {
		rung, ok := rungOf(q, t.Rungs)
		if ok && loses(q, lost, rung, t) {
			names = appendNew(names, rung.Holder)
		}
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// lostPackets is how many packets make up what is still charged; 0 where a
// packet's charge is not known, as on a kernel whose tbf is broken, or does not
// fit.
func lostPackets(t record.Trace) int64 {
	left := leftCharged(t)
	if t.Truesize <= 0 || left%t.Truesize != 0 {
		return 0
	}
	return left / t.Truesize
}

// rungOf is the rung that took a root qdisc away.
func rungOf(q record.QdiscState, rungs []record.RungTrace) (record.RungTrace, bool) {
	if q.Parent != rootParent {
		return record.RungTrace{}, false
	}
	on := q.Kind + " on " + q.Link
	i := slices.IndexFunc(rungs, func(r record.RungTrace) bool {
		return r.Rung == record.RungQdisc && r.Error == "" && (r.On == on || r.On == on+" in "+q.Netns)
	})
	if i < 0 {
		return record.RungTrace{}, false
	}
	return rungs[i], true
}

// loses reports that a qdisc, as it was before its rung, accounts for all that
// was lost: it had so many and its end freed none, or it dropped so many, or so
// many went in, and neither came out nor wait. lost is 0 where it is not known.
func loses(q record.QdiscState, lost int64, rung record.RungTrace, t record.Trace) bool {
	if rung.Backlog > 0 && rung.Backlog >= lost*leastPacket && rung.Before-rung.After <= rung.Drift {
		return true
	}
	inside := int64(t.Sent+refusals(t)) - int64(q.Packets) - int64(q.QLen)
	return lost > 0 && (int64(q.Drops) == lost || inside == lost)
}
