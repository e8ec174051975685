// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"math"
	"testing"

	"skleak/record"
)

// released is stuck(n), let go at once so many seconds after the last packet.
func released(n int, seconds float64) record.Trace {
	t := stuck(n)
	at := int64(seconds * second)
	p := &record.Patience{ForNs: at, ReleasedNs: at, Before: t.Settle.Bytes}
	for i := int64(1); i <= 100; i++ {
		left := t.Settle.Bytes
		if i == 100 {
			left = 0
		}
		p.Points = append(p.Points, record.Point{AtNs: t.LastSendNs + at*i/100, Bytes: left})
	}
	t.Patience, t.Rungs = p, nil
	return lasting(t, seconds)
}

// lasting gives t's only socket the readings of its patience, and a packet that
// was charged for so many seconds after the first was sent.
func lasting(t record.Trace, seconds float64) record.Trace {
	s := &t.Sockets[0]
	for _, p := range t.Patience.Points {
		p.Sent = s.Sent
		s.After = append(s.After, p)
	}
	s.Course = record.Course{HeldBytes: t.Settle.Bytes, OldestNs: int64(seconds*second) + t.LastSendNs - t.FirstSendNs}
	return t
}

// draining is stuck(n) that goes by rate bytes a second; watched for so long.
func draining(n int, rate, seconds float64) record.Trace {
	t := stuck(n)
	p := &record.Patience{ForNs: int64(seconds * second), ReleasedNs: -1, Before: t.Settle.Bytes}
	for i := range 101 {
		after := seconds * float64(i) / 100
		left := max(float64(t.Settle.Bytes)-math.Floor(after*rate/832)*832, 0)
		p.Points = append(p.Points, record.Point{AtNs: t.LastSendNs + int64(after*second), Bytes: int64(left)})
		p.After = int64(left)
		if left == 0 && p.ReleasedNs < 0 {
			p.ReleasedNs = int64(after * second)
		}
	}
	t.Patience = p
	return lasting(t, min(seconds, float64(n)*832/rate))
}

// level is a queue that takes n of 3000 packets and drops the rest.
func level(n int, rate string) record.Trace { return levelOf(n, 3000, rate) }

// levelOf is a queue that takes n packets of so many.
func levelOf(n, sent int, rate string) record.Trace {
	t := stuck(n)
	t.Rate, t.Sent, t.Sockets[0].Sent = rate, sent, sent
	t.Sockets[0].Series = nil
	for i := range 101 {
		at := t.FirstSendNs + (t.LastSendNs-t.FirstSendNs)*int64(i)/100
		t.Sockets[0].Series = append(t.Sockets[0].Series, record.Point{AtNs: at, Bytes: min(int64(sent*i/100)*832, t.Settle.Bytes), Sent: sent * i / 100})
	}
	return t
}

// host2012 is the host of 2012: 320 bytes a Hello, silent at 57600.
func host2012() record.Trace {
	t := stuck(180)
	t.Truesize = 320
	t.Sockets[0].SndBuf, t.Sockets[0].Peak, t.Sockets[0].PacketsToStall = 115200, 57600, 180
	t.Settle = record.Reading{Bytes: 57600, PerSocket: []uint32{57600}}
	t.Patience.Before, t.Patience.After = 57600, 57600
	return kept(t, 57600)
}

// paced is packets at a rate to a neighbour that is given up each three seconds.
func paced(pps float64, n int) record.Trace {
	t := quiet()
	t.Sent, t.Sockets[0].Sent, t.Rate = n, n, "paced"
	t.LastSendNs = t.FirstSendNs + int64(float64(n)/pps*second)
	gone, since := 0, 0.0
	for i := range n {
		at := float64(i) / pps
		if at-since >= 3 {
			gone, since = i, at
		}
		t.Sockets[0].Series = append(t.Sockets[0].Series, record.Point{AtNs: t.FirstSendNs + int64(at*second), Bytes: int64(i+1-gone) * 832, Sent: i + 1})
	}
	left := int64(n-gone) * 832
	t.Settle = record.Reading{Bytes: left, Writable: true, PerSocket: []uint32{uint32(left)}}
	t.Patience = &record.Patience{ForNs: second, ReleasedNs: int64((3 - (float64(n)/pps - since)) * second), Before: left}
	t.Sockets[0].After = []record.Point{{AtNs: t.LastSendNs + t.Patience.ReleasedNs - second/100, Bytes: left, Sent: n}, {AtNs: t.LastSendNs + t.Patience.ReleasedNs, Sent: n}}
	t.Sockets[0].Peak, t.Sockets[0].Course = int64(3*pps)*832, record.Course{HeldBytes: int64(3*pps) * 832, OldestNs: 3 * second}
	t.Rungs = stuck(1).Rungs
	return t
}

// threeLinks is one socket of three links, of which the second keeps all it gets.
func threeLinks() record.Trace {
	t := stuck(128)
	t.Sent, t.Sockets[0].Sent = 392, 392
	t.Sockets[0].Links = []record.LinkTrace{{Link: "v0", Sent: 131, Grew: 832}, {Link: "w0", Sent: 131, Grew: 127 * 832}, {Link: "x0", Sent: 130, Grew: -832}}
	return t
}

func TestLaw(t *testing.T) {
	const hello = "; at one Hello in 10 s after "
	tests := []struct {
		name  string
		trace record.Trace
		law   string
		rate  float64
	}{
		{"nothing lets go", stuck(256),
			"Nothing lets go within 4.0 s: each packet keeps 832 bytes; silent after 128 packets" + hello + "21 min 20 s.", 0},
		{"2012", host2012(),
			"Nothing lets go: each packet keeps 320 bytes; silent after 180 packets" + hello + "30 min.", 0},
		{"one of 100000", with(stuck(1), func(t *record.Trace) { t.Sent, t.Sockets[0].Sent = 100000, 100000 }),
			"Nothing lets go within 4.0 s: 1 of 100000 packets stayed, 832 bytes each; if that share goes on, silent after 12800000 packets" + hello + "4 years 21 days.", 0},
		{"another packet's own interval", with(stuck(256), func(t *record.Trace) { t.Message, t.EveryNs = "advertisement", second }),
			"Nothing lets go within 4.0 s: each packet keeps 832 bytes; silent after 128 packets; at one advertisement a second after 2 min 8 s.", 0},
		{"a packet without an interval", with(stuck(256), func(t *record.Trace) { t.Message, t.EveryNs = "", 0 }),
			"Nothing lets go within 4.0 s: each packet keeps 832 bytes; silent after 128 packets.", 0},
		{"one link of three", threeLinks(),
			"Nothing lets go within 4.0 s: 1 packet in 3 stays, on w0, 832 bytes each; silent after 384 packets; at one Hello in 10 s on each link after 21 min 20 s.", 0},
		{"a ring takes the first 500", with(stuck(128), func(t *record.Trace) {
			t.Sent, t.Sockets[0].Sent, t.Sockets[0].Series = 628, 628, nil
			for i := range 101 {
				n := 628 * i / 100
				t.Sockets[0].Series = append(t.Sockets[0].Series, record.Point{AtNs: t.FirstSendNs + int64(i), Bytes: int64(max(n-500, 0)) * 832, Sent: n})
			}
		}), "Nothing lets go within 4.0 s: the first 500 packets passed, and each after them keeps 832 bytes; silent after 628 packets" + hello + "1 h 44 min.", 0},
		{"held for three seconds", released(256, 3),
			"A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on.", 128.0 / 3},
		{"held for three seconds, at 5/s", paced(5, 60),
			"A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on.", 128.0 / 3},
		{"held for three seconds, at 40/s", paced(40, 400),
			"A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on.", 128.0 / 3},
		{"a neighbour takes so many", with(level(100, "max"), func(t *record.Trace) {
			t.Patience = released(100, 3).Patience
			*t = lasting(*t, 3)
		}), "A packet is held for 3.0 s. It levels off at 83200 bytes (100 packets): never silent with this send buffer of 212992; silent with one of 166402 or less.", 0},
		{"a neighbour takes more than the socket and half of what is sent", with(levelOf(277, 500, "max"), func(t *record.Trace) {
			t.Patience = released(277, 3).Patience
			*t = lasting(*t, 3)
		}), "A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on.", 128.0 / 3},
		{"held so long that a Hello in 10 s is enough", released(256, 2000),
			"A packet is held for 1982.0 s. Silent at one Hello in 10 s after 21 min 20 s; silent from one packet in 15.5 s on.", 128.0 / 2000},
		{"drains slowly", draining(256, 8320, 4),
			"It drains at 9.9 packets a second. Harmless at one Hello in 10 s; silent above that.", 10},
		{"drains to the end", draining(100, 41600, 4),
			"It drains at 50 packets a second. Harmless at one Hello in 10 s; silent above that.", 50},
		{"levels off", level(100, "max"),
			"Nothing lets go within 4.0 s. It levels off at 83200 bytes (100 packets): never silent with this send buffer of 212992; silent with one of 166402 or less.", 0},
		{"a full queue refuses the rest", with(stuck(10), func(t *record.Trace) {
			t.Sent, t.Sockets[0].Sent, t.Sockets[0].Peak, t.Refused = 14, 14, 0, map[string]int{"ENOBUFS": 2986}
		}), "Nothing lets go within 4.0 s. It levels off at 8320 bytes (10 packets) and what comes then is refused with ENOBUFS: never silent with this send buffer of 212992; silent with one of 16642 or less.", 0},
		{"no model fits", with(released(100, 3), func(t *record.Trace) {
			for i := range t.Sockets[0].After {
				t.Sockets[0].After[i].Bytes = int64(i%2) * 83200
			}
		}), "All went by itself; how is not known: neither a time for each packet nor a line's rate gives the course (off by 50% of the peak).", 0},
		{"not tried", with(stuck(256), func(t *record.Trace) { t.Patience = nil }),
			"Whether time alone lets go was not tried.", 0},
		{"a part goes", with(stuck(200), func(t *record.Trace) {
			p := t.Patience
			p.After = p.Before / 2
			p.Points = []record.Point{{AtNs: t.LastSendNs, Bytes: p.Before}, {AtNs: t.LastSendNs + second, Bytes: p.After}, {AtNs: t.LastSendNs + 4*second, Bytes: p.After}}
		}), "Of 166400 bytes 83200 went by themselves within 4.0 s and the others did not: silent after 128 packets so kept, 832 bytes each.", 0},
		{"clean", quiet(), "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Judge(test.trace)
			if f.Law != test.law {
				t.Errorf("law\n  %s\nwant\n  %s", f.Law, test.law)
			}
			var rate float64
			if f.StallRatePPS != nil {
				rate = *f.StallRatePPS
			}
			if math.Abs(rate-test.rate) > 0.02*test.rate {
				t.Errorf("rate = %g, want %g", rate, test.rate)
			}
		})
	}
}

// A law that a paced run shows to be wrong is a fail, whatever was expected.
func TestDisproved(t *testing.T) {
	run := func(stalled bool) *record.LawRun { return &record.LawRun{PPS: 40, Sent: 100, Stalled: stalled} }
	tests := []struct {
		name  string
		check record.LawCheck
		wrong bool
	}{
		{"holds", record.LawCheck{PredictedPPS: 43, Under: run(false), Over: run(true)}, false},
		{"silent under it", record.LawCheck{PredictedPPS: 43, Under: run(true), Over: run(true)}, true},
		{"not silent over it", record.LawCheck{PredictedPPS: 43, Under: run(false), Over: run(false)}, true},
		{"never silent", record.LawCheck{NeverSilent: true, Over: run(false)}, false},
		{"silent nevertheless", record.LawCheck{NeverSilent: true, Over: run(true)}, true},
		{"any rate silences", record.LawCheck{Over: run(true)}, false},
		{"none did", record.LawCheck{Over: run(false)}, true},
		{"not tried", record.LawCheck{PredictedPPS: 0.001, NotTried: "too slow"}, false},
	}
	for _, test := range tests {
		trace := stuck(256)
		trace.LawCheck = &test.check
		r := Result("a/b", []record.Verdict{record.Stalled}, nil, trace)
		if wrong := r.Status == record.Fail; wrong != test.wrong || r.Verdict != record.Stalled {
			t.Errorf("%s: %s %s, %s", test.name, r.Status, r.Verdict, r.Reason)
		}
	}
}

// The law is one socket's, however many there are.
func TestLawOfHeaviestSocket(t *testing.T) {
	trace := stuck(128)
	trace.Sockets = append(trace.Sockets, record.SocketTrace{Name: "v1", SndBuf: 425984, PacketsToStall: -1, Sent: 128})
	trace.Settle.PerSocket = append(trace.Settle.PerSocket, 0)
	f := Judge(trace)
	if f.SndBuf != 212992 || f.Law != Judge(stuck(128)).Law {
		t.Errorf("sndbuf %d, law %q", f.SndBuf, f.Law)
	}
}

func TestBytesPerPacket(t *testing.T) {
	tests := []struct {
		name  string
		trace record.Trace
		want  float64
	}{
		{"every packet is there", stuck(256), 832},
		{"measured, where calibration failed", with(stuck(256), func(t *record.Trace) { t.Truesize = 0 }), 832},
		{"one of many", with(stuck(1), func(t *record.Trace) { t.Sent = 100000 }), 832},
		{"some had gone through", with(stuck(128), func(t *record.Trace) { t.Sent = 131 }), 832},
		{"a tunnel's packets cost more", with(stuck(100), func(t *record.Trace) { t.Sent = 50 }), 1664},
		{"some went, no calibration", with(stuck(10), func(t *record.Trace) { t.Truesize, t.Sockets[0].Peak = 0, 83200 }), 0},
		{"clean", quiet(), 0},
	}
	for _, test := range tests {
		if got := Judge(test.trace).BytesPerPacket; got != test.want {
			t.Errorf("%s: %g, want %g", test.name, got, test.want)
		}
	}
}

func TestToSilence(t *testing.T) {
	tests := []struct {
		sndbuf int64
		each   float64
		want   float64
	}{{212992, 832, 128}, {425984, 768, 278}, {115200, 320, 180}, {212992, 1 << 20, 1}, {2, 832, 1}}
	for _, test := range tests {
		if got := toSilence(test.sndbuf, test.each); got != test.want {
			t.Errorf("toSilence(%d, %g) = %g, want %g", test.sndbuf, test.each, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0 s", 40: "40 s", 1280: "21 min 20 s", 1800: "30 min", 7500: "2 h 5 min", 86400: "1 day", 2 * 86400: "2 days", 3600: "1 h",
	} {
		if got := long(seconds); got != want {
			t.Errorf("long(%g) = %q, want %q", seconds, got, want)
		}
	}
	for rate, want := range map[float64]string{42.67: "43 packets a second", 10: "10 packets a second", 1.61: "1.7 packets a second", 0.04: "one packet in 25.0 s"} {
		if got := perSecond(rate); got != want {
			t.Errorf("perSecond(%g) = %q, want %q", rate, got, want)
		}
	}
}
