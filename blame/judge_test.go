// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"skleak/internal/testkit"
	"skleak/record"
	"skleak/snapshot"
)

// router has a card, a veth with a shaper, and a TUN that nobody reads.
func router(queued, ring uint32) snapshot.Facts {
	return snapshot.Facts{
		Links: []snapshot.Link{
			{Index: 1, Name: "lo", Loopback: true, Up: true, Addresses: []string{"127.0.0.1/8"}},
			{Index: 2, Name: "eth0", Driver: "e100", Up: true, Addresses: []string{"192.0.2.1/24"}},
			{Index: 3, Name: "w0", Kind: "veth", Up: true, Addresses: []string{"198.51.100.1/24"}},
			{Index: 4, Name: "dns0", Kind: "tun", Up: true, Addresses: []string{"203.0.113.1/24"}},
		},
		Qdiscs: []snapshot.Qdisc{
			{Link: 2, Kind: "fq_codel", Parent: 0xffffffff},
			{Link: 3, Kind: "tbf", Parent: 0xffffffff, QLen: queued, Backlog: queued * 78},
			{Link: 4, Kind: "fq_codel", Parent: 0xffffffff, Packets: ring},
		},
	}
}

func reading(f snapshot.Facts, charge int64) Reading {
	return Reading{
		PID: 4711, Comm: "ospfd", Facts: f, Before: f, Charge: charge, ChargeBefore: charge, Least: charge, Steady: true, For: time.Second,
		Sockets: []Socket{{FD: 7, Kind: "raw", Protocol: 89, Charge: charge, SndBuf: 425984}},
	}
}

func TestJudge(t *testing.T) {
	followed := reading(router(140, 0), 128*832)
	followed.ChargeBefore = 100 * 832
	followed.Ledger = &record.Ledger{By: "perf tracepoints", Charge: 28 * 832, Places: []record.LedgerPlace{
		{Place: "qdisc tbf on w0", Count: 28, Charged: true, Bytes: 28 * 832}, {Place: "reader of dns0", Count: 30},
	}}
	followed.Sent = map[string]int{"w0": 28, "eth0": 30, "dns0": 30}
	lost := followed
	lost.Ledger = &record.Ledger{Incomplete: "3 samples were lost", Charge: 28 * 832, Places: followed.Ledger.Places}
	grown := reading(router(90, 0), 64*832+40*832)
	grown.Before, grown.ChargeBefore = router(50, 0), 64*832
	bound := reading(router(0, 281), 278*768)
	bound.Truesize, bound.Rings = 768, map[string]int{"eth0": 128}
	wide := bound
	wide.Rings = map[string]int{"eth0": 256}
	unmeasured := bound
	unmeasured.Rings = nil
	restless := reading(router(128, 0), 128*832)
	restless.Steady = false
	empty := reading(router(0, 0), 0)
	comesFree := reading(router(128, 0), 5*832)
	comesFree.Least = 0
	for name, c := range map[string]struct {
		r       Reading
		outcome Outcome
		by      string
		holder  string
		says    string
	}{
		"the TUN of 2012":               {reading(router(0, 278), 278*768), Holds, "count", "reader of dns0", "278 packets x 768 = 213504 bytes"},
		"a shaper":                      {reading(router(128, 0), 128*832), Holds, "count", "qdisc tbf on w0", "128 packets x 832 = 106496 bytes"},
		"both, and together":            {reading(router(100, 33), 133*832), Holds, "count", "qdisc tbf on w0", "(100 + 33) packets x 832"},
		"packets of others there too":   {reading(router(131, 0), 128*832), Unknown, "", "", "neither place by place nor all together"},
		"two would do":                  {reading(router(128, 128), 128*832), Unknown, "", "", "neither"},
		"a few":                         {reading(router(1, 0), 832), Unknown, "", "", "too few to tell"},
		"nothing is to be seen":         {reading(router(0, 0), 128*832), Unknown, "", "", "no queue, ring or NFQUEUE"},
		"another size than any":         {reading(router(32, 0), 128*832), Unknown, "", "", "neither"},
		"the ledger":                    {followed, Holds, "ledger", "qdisc tbf on w0", "each of the 88 packets sent in 1 s was followed"},
		"a ledger with holes":           {lost, Unknown, "", "", "neither"},
		"what it grew by":               {grown, Holds, "growth", "qdisc tbf on w0", "40 packets x 832 = 33280 bytes"},
		"a charge that does not stand":  {restless, Unknown, "", "", "does not stand still"},
		"at least so many":              {bound, Holds, "bound", "reader of dns0", "128 at the most (128 in the ring of eth0): at least 150 of the 278"},
		"a ring that takes them all":    {wide, Unknown, "", "", "neither"},
		"a ring that nobody knows":      {unmeasured, Unknown, "", "", "neither"},
		"nothing":                       {empty, Healthy, "", "", "came back to 0"},
		"held for a moment, by another": {comesFree, Healthy, "", "", "came back to 0"},
	} {
		f := Judge(c.r)
		holder := ""
		if len(f.Holders) > 0 {
			holder = f.Holders[0].Name
		}
		if f.Outcome != c.outcome || f.By != c.by || holder != c.holder || !strings.Contains(f.Reason, c.says) {
			t.Errorf("%s: %s by %q, %q: %s", name, f.Outcome, f.By, holder, f.Reason)
		}
		if (f.Outcome == Unknown) != (len(f.Next) > 0) || (f.Outcome == Holds) != (len(f.Cures) > 0) || (f.Status() == 0) != (f.Outcome == Healthy) {
			t.Errorf("%s: next %q, cures %v, status %d", name, f.Next, f.Cures, f.Status())
		}
		for _, l := range f.Links {
			if l.Holds && l.Acquitted || f.Outcome == Unknown && (l.Holds || l.Acquitted) {
				t.Errorf("%s: %+v", name, l)
			}
		}
	}
}

// The text for the man of 2012.
func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := Judge(reading(router(0, 278), 278*768)).Write(&b); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/dns0.txt", b.String())
}

func TestIsolation(t *testing.T) {
	base := Trial{Seconds: 25, Growth: 3000}
	for name, c := range map[string]struct {
		base   Trial
		trials []Trial
		holder string
		says   string
	}{
		"one stops it":     {base, []Trial{{"eth0", 25, 3000, 3}, {"w0", 25, 0, 3}, {"dns0", 25, 2250, 3}}, "link w0", "by 0 bytes with 3 packets for w0 dropped"},
		"two do":           {base, []Trial{{"eth0", 25, 3000, 3}, {"w0", 25, 1500, 3}, {"dns0", 25, 1500, 3}}, "link w0", "for dns0 dropped"},
		"none does":        {base, []Trial{{"eth0", 25, 3000, 3}, {"w0", 25, 2900, 3}}, "", "no link, dropped for as long"},
		"all do":           {base, []Trial{{"eth0", 25, 0, 3}, {"w0", 25, 0, 3}}, "", "no link"},
		"it sent nothing":  {base, []Trial{{"eth0", 25, 3000, 3}, {"w0", 25, 0, 0}}, "", "no link"},
		"it does not grow": {Trial{Seconds: 25}, []Trial{{"w0", 25, 0, 3}}, "", "did not grow"},
	} {
		r := reading(router(131, 0), 128*832)
		f := Judge(r)
		f.Isolated(c.base, c.trials)
		holder := ""
		if len(f.Holders) > 0 {
			holder = f.Holders[0].Name
		}
		if holder != c.holder || !strings.Contains(f.Reason, c.says) {
			t.Errorf("%s: %q: %s", name, holder, f.Reason)
		}
	}
	// What was named and is not confirmed is not known.
	f := Judge(reading(router(128, 0), 128*832))
	f.Isolated(base, []Trial{{"w0", 25, 3000, 3}, {"dns0", 25, 0, 3}})
	if f.Outcome != Unknown || len(f.Holders) != 0 || len(f.Cures) != 0 {
		t.Errorf("%+v", f)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(uint32(128), uint32(0), int64(128*832), int64(0), true)
	f.Add(uint32(0), uint32(278), int64(278*768), int64(9), false)
	f.Fuzz(func(t *testing.T, queued, ring uint32, charge, before int64, steady bool) {
		r := reading(router(queued%100000, ring%100000), max(charge, 0))
		r.ChargeBefore, r.Steady = max(before, 0), steady
		got := Judge(r)
		sum := int64(0)
		for _, h := range got.Holders {
			sum += h.Bytes
		}
		want := map[string]int64{"count": r.Charge, "growth": got.Growth}[got.By]
		if got.Outcome == Holds && sum != want {
			t.Errorf("%d bytes are laid to %v, want %d", sum, got.Holders, want)
		}
	})
}
