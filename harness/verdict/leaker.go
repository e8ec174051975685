// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"fmt"
	"slices"
	"strings"

	"skleak/record"
)

// leastPacket is the least that a packet can be charged with, in bytes.
const leastPacket = 256

// suspect is what the stages have to say about a leak.
type suspect struct {
	// holder is one stage, "between A and B", "after A", record.NotKnown, or "" where
	// nothing stays charged.
	holder string
	// span is what holder comprises where it is no single stage.
	span span
	// single: holder is one stage.
	single bool
	// evidence are the figures, in words; "" for none.
	evidence string
}

// leaker finds where the packets that are still charged vanished. A stage is
// named if the very number of them vanished in it; it is never found by ruling
// out the others.
func leaker(t record.Trace) suspect {
	if leftCharged(t) == 0 {
		return suspect{}
	}
	w, ok := account(t)
	if !ok {
		return suspect{holder: record.NotKnown}
	}
	lost := lostPackets(t)
	at, missing := w.missing(lost)
	if names := w.confessed(t, lost); len(names) > 0 {
		// NB: what a stage dropped and freed may be as many as another lost.
		if len(names) > 1 || missing && !at.agrees(t, lost, names[0]) {
			return suspect{holder: record.NotKnown, evidence: w.tale()}
		}
		return suspect{holder: names[0], single: true, evidence: w.tale()}
	}
	if lost == 0 {
		return suspect{holder: record.NotKnown, evidence: w.tale()}
	}
	switch {
	case missing && at.told(t, lost) != "":
		return suspect{holder: at.told(t, lost), single: true, evidence: w.vanish(at, at.told(t, lost))}
	case missing:
		name := "between " + at.after + " and " + at.point
		return suspect{holder: name, span: at.span, evidence: w.vanish(at, name)}
	case w.deadEnd() != "":
		return suspect{holder: w.deadEnd(), single: true, evidence: w.tale()}
	}
	if ok, exact := w.complete(lost); ok {
		return w.end(exact)
	}
	return suspect{holder: record.NotKnown, evidence: w.tale()}
}

// mostTimes is how many times the calibrated charge a packet may cost, where a
// link asks for much room before the header.
const mostTimes = 4

// lostPackets is how many packets make up what is still charged; 0 where a
// packet's charge is not known, as on a kernel whose tbf is broken, or does not
// fit. More than were sent cannot be lost: then each cost more than calibrated,
// and it is all of them if that comes out whole.
func lostPackets(t record.Trace) int64 {
	left, sent := leftCharged(t), int64(t.Sent+refusals(t))
	if t.Refill != nil {
		sent += int64(t.Refill.Sent)
	}
	switch {
	case t.Truesize <= 0:
		return 0
	case left%t.Truesize == 0 && left/t.Truesize <= sent:
		return left / t.Truesize
	case sent > 0 && left%sent == 0 && left > sent*t.Truesize && left <= mostTimes*sent*t.Truesize:
		return sent
	default:
		return 0
	}
}

// confessed are the stages whose own counters account for all that was lost:
// they dropped so many, and not as many came through, or had so many and their
// end freed none.
func (w way) confessed(t record.Trace, lost int64) []string {
	var names []string
	for _, l := range w.tally.links {
		if q := l.queueing; q != nil && lost > 0 && q.dropped == lost && q.out != lost {
			names = appendNew(names, l.qdiscName())
		}
		if l.queueing != nil && l.forgot(t, lost) {
			names = appendNew(names, "qdisc "+l.keeps())
		}
		if lost > 0 && l.ownDrops() == lost && l.tx != lost {
			names = appendNew(names, "driver of "+l.label)
		}
	}
	for _, q := range w.queues {
		if lost > 0 && (q.dropped == lost && q.accepted != lost || w.queueForgot(t, q, lost)) {
			names = appendNew(names, queueName(q.QueueState))
		}
	}
	return names
}

// ownDrops is what the driver says it dropped itself. A link that is built upon
// others counts in tx_dropped what these refused.
func (l *linkCount) ownDrops() int64 {
	switch {
	case l.tunnelling():
		return l.errors
	case len(l.lowers) == 0 && l.Kind != "bridge":
		return max(l.dropped, l.errors)
	default:
		return 0
	}
}

// keeps names the qdisc in which packets wait, as a rung does.
func (l *linkCount) keeps() string { return l.queueing.keeper + " on " + l.label }

// forgot reports that deleting the link's qdisc freed nothing of the packets in
// it, and that they are all that was lost. Where a packet's charge is not known
// it must at least come out whole.
func (l *linkCount) forgot(t record.Trace, lost int64) bool {
	if l.queueing.each == 0 {
		return false
	}
	for _, r := range t.Rungs {
		if r.Rung != record.RungQdisc || r.Error != "" || r.Before-r.After > r.Drift || r.On != l.keeps() {
			continue
		}
		inside := r.Backlog / l.queueing.each
		if lost > 0 {
			return inside == lost
		}
		left := leftCharged(t)
		return t.Truesize == 0 && inside > 0 && left%inside == 0 && left/inside >= leastPacket
	}
	return false
}

// queueForgot reports that packets came into an NFQUEUE and by the end of the
// ladder, which had its verdicts given or its listener closed, so many had
// neither been dropped nor come to IP output.
func (w way) queueForgot(t record.Trace, q queueCount, lost int64) bool {
	i := slices.IndexFunc(t.State, func(st record.State) bool { return st.When == "end" })
	before, _ := pictures(t)
	if i < 0 || !w.passes(q) || !slices.Equal(q.Hooks, []string{"output"}) || slices.ContainsFunc(w.links, (*linkCount).tunnelling) {
		return false
	}
	end := tally{ip: ipCounts(*before, t.State[i]), byPacket: w.byPacket}
	passed, ok := end.ipOutput(nil)
	return ok && int64(t.State[i].Sent)-passed-q.dropped == lost
}

// passes reports that all that is sent passes the NFQUEUE.
func (w way) passes(q queueCount) bool {
	return slices.ContainsFunc(w.stages, func(s stage) bool { return q.Netns == "" && s.point == queueName(q.QueueState) })
}

// deadEnd is the stage that all came to and none left, and that says it dropped
// them all: some of these were not freed.
func (w way) deadEnd() string {
	for _, s := range w.stages[1:] {
		switch {
		case s.Lost != 0 || s.Waiting != 0:
			return ""
		case s.Dropped == 0:
			continue
		case s.Out == 0 && s.lastWord:
			return s.Stage.Stage
		default:
			return ""
		}
	}
	return ""
}

func queueName(q record.QueueState) string { return fmt.Sprintf("nfqueue %d", q.Number) }

// nearLeast and nearShare say how far a count may be off, for lack of the
// kernel's own packets that others count as well.
const (
	nearLeast = 16
	nearShare = 8
)

// missing is the one stage before whose count exactly so many vanished, or nearly
// so many; then nothing but that can be said.
func (w way) missing(lost int64) (at stage, ok bool) {
	if lost == 0 {
		return stage{}, false
	}
	var exact, short []stage
	for _, s := range w.stages {
		switch {
		case s.Lost == lost:
			exact = append(exact, s)
		case s.Lost > 0:
			short = append(short, s)
		}
	}
	if len(exact) == 1 {
		return exact[0], true
	}
	if len(exact) > 1 || len(short) != 1 || lost < nearLeast {
		return stage{}, false
	}
	at = short[0]
	at.alone = ""
	return at, at.Lost < lost && lost-at.Lost <= lost/nearShare
}

// told names the stage if it is the only one that can have lost them: nothing
// else lies there, or the sockets were told of each by the errno that a qdisc's
// refusal becomes (net_xmit_errno, include/linux/netdevice.h).
func (s stage) told(t record.Trace, lost int64) string {
	if s.alone != "" {
		return s.alone
	}
	if s.after == ipOutput && strings.HasPrefix(s.point, "qdisc ") && !strings.Contains(s.point, joiner) &&
		s.Lost == lost && int64(t.Refused["ENOBUFS"]) == lost {
		return s.point
	}
	return ""
}

// agrees reports that a holder may be who lost what vanished there.
func (s stage) agrees(t record.Trace, lost int64, holder string) bool {
	if told := s.told(t, lost); told != "" {
		return told == holder
	}
	return s.span.covers(holder)
}

// complete reports that all that was sent was counted all the way down. What was
// dropped or waited may have vanished where it was counted. exact: nor was
// anything else counted; the kernel's own packets, reports of membership above
// all, come in at IP output, and a few of them do not hide that many were lost.
func (w way) complete(lost int64) (ok, exact bool) {
	foreign := int64(0)
	for _, s := range w.stages {
		if s.Lost > 0 || s.Dropped != 0 || s.Waiting != 0 || s.Lost < 0 && s.point != ipOutput {
			return false, false
		}
		foreign -= s.Lost
	}
	near := lost >= nearLeast && foreign <= lost/nearShare
	return (foreign == 0 || near) && !w.blind && len(w.stages) > 1, foreign == 0
}

// end is where a packet is lost that was counted everywhere: behind the first
// link's count, where a copy may have gone on in its stead. If nothing is behind
// that but the driver itself, it is the driver.
func (w way) end(exact bool) suspect {
	var names, last []string
	var s suspect
	open := false
	for _, l := range w.links {
		if l.Via {
			names = append(names, l.label)
		}
		if len(l.lowers) == 0 {
			last = append(last, l.label)
			open = open || !l.consuming()
		}
		s.span.links = append(s.span.links, l.label)
	}
	s.evidence = w.tale() + ": all were counted"
	switch first := strings.Join(names, joiner); {
	case exact && !open && len(w.links) == 1:
		s.holder, s.single = "driver of "+first, true
	case open || slices.Equal(names, last):
		s.holder = "after " + first
		for _, l := range w.tally.links {
			s.span.links = appendNew(s.span.links, l.label)
		}
	default:
		s.holder = "between " + first + " and the end of " + strings.Join(last, joiner)
	}
	return s
}

// tale is the account in words: "3000 sent, 3000 by IP output, 2970 by v0".
func (w way) tale() string {
	var parts []string
	for i, s := range w.stages {
		if i == 0 {
			parts = append(parts, fmt.Sprintf("%d sent", s.Out))
			continue
		}
		parts = append(parts, fmt.Sprintf("%d by %s", s.Out, s.point))
		last := &parts[len(parts)-1]
		if s.Dropped > 0 {
			*last += fmt.Sprintf(" and %d dropped", s.Dropped)
		}
		if s.Waiting > 0 {
			*last += fmt.Sprintf(" and %d waiting", s.Waiting)
		}
	}
	return strings.Join(parts, ", ")
}

func (w way) vanish(at stage, where string) string {
	if !strings.HasPrefix(where, "between ") {
		where = "in " + where
	}
	return fmt.Sprintf("%s: %d vanish %s", w.tale(), at.Lost, where)
}
