package verdict

import (
	"testing"

	"skleak/record"
)

// leakedBy is a leak of 128 packets with a tbf on v0 in its way.
func leakedBy(change func(*record.Trace, *record.QdiscState)) record.Trace {
	t := held(nil)
	for i := range t.Rungs {
		t.Rungs[i].Before, t.Rungs[i].After = 106496, 106496
	}
	q := record.QdiscState{Link: "v0", Kind: "tbf", Parent: "root", Packets: 128}
	change(&t, &q)
	other := record.QdiscState{Link: "w0", Kind: "fq", Parent: "root"}
	t.State = []record.State{{When: "held", Qdiscs: []record.QdiscState{q, other}}}
	return t
}

func TestLeakOfAQdisc(t *testing.T) {
	const qdisc, driver = "qdisc tbf on v0", "driver of v0"
	tests := []struct {
		name   string
		change func(*record.Trace, *record.QdiscState)
		holder string
	}{
		{"all came out of it", func(*record.Trace, *record.QdiscState) {}, driver},
		{"its end forgot what it had", func(tr *record.Trace, q *record.QdiscState) {
			q.Packets, q.QLen, tr.Rungs[0].Backlog = 0, 128, 128*78
		}, qdisc},
		{"its end forgot what time had left", func(tr *record.Trace, q *record.QdiscState) {
			tr.Sent, q.Packets, q.QLen, tr.Rungs[0].Backlog = 300, 150, 150, 128*78
		}, qdisc},
		{"its end freed a packet of somebody else", func(tr *record.Trace, q *record.QdiscState) {
			q.QLen, tr.Rungs[0].Backlog = 1, 42
		}, driver},
		{"its end freed as many as the driver lost", func(tr *record.Trace, q *record.QdiscState) {
			tr.Sent, q.QLen, tr.Rungs[0].Backlog = 256, 128, 128*78
			tr.Rungs[0].Before = 2 * 106496
		}, driver},
		{"its end forgot what it had, and nobody knows what a packet costs", func(tr *record.Trace, q *record.QdiscState) {
			q.Packets, q.QLen, tr.Truesize, tr.Rungs[0].Backlog = 0, 128, 0, 128*78
		}, qdisc},
		{"it dropped as many", func(tr *record.Trace, q *record.QdiscState) { tr.Sent, q.Drops = 256, 128 }, qdisc},
		{"it dropped more", func(tr *record.Trace, q *record.QdiscState) { tr.Sent, q.Drops = 3000, 2872 }, driver},
		{"as many went in and never came out", func(tr *record.Trace, q *record.QdiscState) {
			tr.Sent, tr.Refused, q.Packets, q.QLen = 10, map[string]int{"ENOBUFS": 128}, 3, 7
		}, qdisc},
		{"it is below another", func(_ *record.Trace, q *record.QdiscState) { q.Packets, q.Drops, q.Parent = 0, 128, "1:1" }, driver},
		{"it is on another link", func(_ *record.Trace, q *record.QdiscState) { q.Packets, q.Link = 0, "w0" }, driver},
		{"a packet's charge does not fit", func(tr *record.Trace, q *record.QdiscState) { q.Packets, tr.Truesize = 0, 830 }, driver},
		{"another did too", func(tr *record.Trace, q *record.QdiscState) {
			q.Packets = 0
			tr.Rungs = append([]record.RungTrace{{
				Rung: record.RungQdisc, On: "fq on w0", Holder: "qdisc fq on w0", Before: 106496, After: 106496,
			}}, tr.Rungs...)
		}, driver},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Judge(leakedBy(tt.change))
			if f.Verdict != record.Leaked || f.Holder != tt.holder {
				t.Errorf("%s by %q, want %q", f.Verdict, f.Holder, tt.holder)
			}
		})
	}
}
