package main

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		args string
		ok   bool
	}{
		{"", true},
		{"--json --pairs 7 --packets 1000 --late 100", true},
		{"--pairs 6", false},
		{"--pairs 1001", false},
		{"--packets 0", false},
		{"--packets -5", false},
		{"--late 1", false},
		{"--late many", false},
		{"--fast", false},
		{"v0", false},
	}
	for _, tt := range tests {
		if _, err := parse(strings.Fields(tt.args)); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
}

func TestSpread(t *testing.T) {
	values := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	got := spread(values)
	if got.Median != 5 || got.Lower >= got.Median || got.Upper <= got.Median || got.Low > got.Lower || got.High < got.Upper {
		t.Errorf("%+v", got)
	}
	if got.Values[0] != 9 {
		t.Error("the order of the runs is lost")
	}
}

func TestPrint(t *testing.T) {
	res := Result{
		Packet: "ospf-hello", Pairs: 7, Packets: 1000,
		Styles: []Comparison{{
			Style: "send-first",
			Ours:  Spread{Median: 900_000, Lower: 800_000, Upper: 950_000},
			Peer:  Spread{Median: 1_000_000, Lower: 990_000, Upper: 1_010_000},
			Ratio: Spread{Median: 0.9, Lower: 0.85, Upper: 0.94},
		}},
		Pacing: []Lateness{{Rate: 1000, P50: 2.5, P99: 10, Max: 99}},
	}
	want := `ospf-hello over a veth, 7 pairs of 1000 packets: median [quartiles]
style       skleak packets/s  C sendmmsg packets/s  ratio
send-first  900k [800k 950k]  1000k [990k 1010k]    0.90 [0.85 0.94]

paced packets/s  p50 late  p99 late  latest
1000             2.5 µs    10.0 µs   99.0 µs
`
	var b strings.Builder
	if err := res.print(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
