// SPDX-License-Identifier: GPL-2.0-only

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
		Ledger: []LedgerCost{
			{
				Asked: 20_000, By: "perf tracepoints", Samples: 640_000, Lost: 7,
				Off: Spread{Median: 20_000, Lower: 19_000, Upper: 21_000}, On: Spread{Median: 10_000, Lower: 9_000, Upper: 11_000},
				Ratio: Spread{Median: 0.5, Lower: 0.45, Upper: 0.55},
			},
			{By: "perf tracepoints"},
		},
		Boots: &Boots{
			Kernel: "debian:6.1.192/amd64", Bare: Spread{Median: 1.5, Lower: 1.4, Upper: 1.6}, Plain: Spread{Median: 1.7, Lower: 1.6, Upper: 1.8},
			Hello: Spread{Median: 1.6, Lower: 1.5, Upper: 1.7}, HelloRatio: Spread{Median: 1.07, Lower: 1, Upper: 1.1},
			Result: Spread{Median: 2, Lower: 1.9, Upper: 2.1}, ResultRatio: Spread{Median: 1.33, Lower: 1.3, Upper: 1.4},
			ResultPlain: Spread{Median: 1.18, Lower: 1.1, Upper: 1.2},
			PeerMissing: "no vng",
		},
	}
	want := `ospf-hello over a veth, 7 pairs of 1000 packets: median [quartiles]
style       skleak packets/s  C sendmmsg packets/s  ratio
send-first  900k [800k 950k]  1000k [990k 1010k]    0.90 [0.85 0.94]

paced packets/s  p50 late  p99 late  latest
1000             2.5 µs    10.0 µs   99.0 µs

asked for   ledger off     ledger on     ratio             samples  lost  by
20000/s     20k [19k 21k]  10k [9k 11k]  0.50 [0.45 0.55]  640000   7     perf tracepoints
all it can  0k [0k 0k]     0k [0k 0k]    0.00 [0.00 0.00]  0        0     perf tracepoints

from QEMU's start, debian:6.1.192/amd64  seconds           to a bare boot    to a plain one
bare boot and end                        1.50 [1.40 1.60]                    
the same, plain command line             1.70 [1.60 1.80]                    
first word                               1.60 [1.50 1.70]  1.07 [1.00 1.10]  
first result                             2.00 [1.90 2.10]  1.33 [1.30 1.40]  1.18 [1.10 1.20]
virtme-ng                                no vng            
`
	if got := printed(t, res); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got := printed(t, Result{LedgerMissing: "run it with sudo", BootsMissing: "no QEMU"})
	if !strings.Contains(got, "no ledger to measure: run it with sudo\n") || !strings.Contains(got, "no boots to measure: no QEMU\n") {
		t.Errorf("got\n%s", got)
	}
}

func printed(t *testing.T, r Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
