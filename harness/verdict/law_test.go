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
	return t
}

// level is a queue that takes n of 3000 packets and refuses the rest.
func level(n int, rate string) record.Trace {
	t := stuck(n)
	t.Rate, t.Sent, t.Sockets[0].Sent = rate, 3000, 3000
	for i := range 101 {
		at := t.FirstSendNs + (t.LastSendNs-t.FirstSendNs)*int64(i)/100
		t.Sockets[0].Series = append(t.Sockets[0].Series, record.Point{AtNs: at, Bytes: min(int64(i)*30*832, t.Settle.Bytes)})
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

func TestLaw(t *testing.T) {
	tests := []struct {
		name  string
		trace record.Trace
		law   string
		rate  float64
	}{
		{"nothing lets go", stuck(256),
			"Nothing lets go by itself: each packet keeps 832 bytes; silent after 128 packets; at one Hello in 10 s after 21 min 20 s.", 0},
		{"2012", host2012(),
			"Nothing lets go by itself: each packet keeps 320 bytes; silent after 180 packets; at one Hello in 10 s after 30 min.", 0},
		{"one of 100000", with(stuck(1), func(t *record.Trace) { t.Sent, t.Sockets[0].Sent = 100000, 100000 }),
			"Nothing lets go by itself: 1 of 100000 packets stayed, 832 bytes each; if that share goes on, silent after 12800000 packets; at one Hello in 10 s after 4 years 21 days.", 0},
		{"held for three seconds", released(256, 3),
			"A packet is held for 3.0 s. Harmless at one Hello in 10 s; silent from 43 packets a second on.", 128.0 / 3},
		{"held so long that a Hello in 10 s is enough", released(256, 2000),
			"A packet is held for 2000.0 s. Silent at one Hello in 10 s after 21 min 20 s; silent from one packet in 15.6 s on.", 128.0 / 2000},
		{"drains slowly", draining(256, 8320, 4),
			"It drains at 8320 bytes/s. Harmless at one Hello in 10 s; silent above 10 packets a second.", 10},
		{"drains to the end", draining(100, 41600, 4),
			"It drains at 41600 bytes/s. Harmless at one Hello in 10 s; silent above 50 packets a second.", 50},
		{"levels off", level(100, "max"),
			"Levels off at 83200 bytes (100 packets): never silent with this send buffer of 212992; silent with one under 166400.", 0},
		{"levels off, paced", level(100, "100/s"),
			"Levels off at 83200 bytes (100 packets): never silent with this send buffer of 212992; silent with one under 166400.", 0},
		{"a full queue refuses the rest", with(stuck(10), func(t *record.Trace) {
			t.Sent, t.Sockets[0].Sent, t.Sockets[0].Peak, t.Refused = 14, 14, 0, map[string]int{"ENOBUFS": 2986}
		}), "Levels off at 8320 bytes (10 packets): never silent with this send buffer of 212992; silent with one under 16640.", 0},
		{"refused now and then", with(stuck(100), func(t *record.Trace) {
			t.Sent, t.Sockets[0].Sent, t.Refused = 100, 100, map[string]int{"ENOBUFS": 50}
		}), "Nothing lets go by itself: each packet keeps 832 bytes; silent after 128 packets; at one Hello in 10 s after 21 min 20 s.", 0},
		{"what is let go levels off by its rate", with(level(100, "100/s"), func(t *record.Trace) { t.Patience = released(100, 1).Patience }),
			"A packet is held for 1.0 s. Harmless at one Hello in 10 s; silent from 128 packets a second on.", 128},
		{"not tried", with(stuck(256), func(t *record.Trace) { t.Patience = nil }),
			"Whether time alone lets go was not tried.", 0},
		{"a part goes", with(stuck(200), func(t *record.Trace) {
			p := t.Patience
			p.After = p.Before / 2
			p.Points = []record.Point{{AtNs: t.LastSendNs, Bytes: p.Before}, {AtNs: t.LastSendNs + second, Bytes: p.After}, {AtNs: t.LastSendNs + 4*second, Bytes: p.After}}
		}), "Of 166400 bytes 83200 went by themselves; nothing lets go of the rest: silent after 128 packets so kept, 832 bytes each.", 0},
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
