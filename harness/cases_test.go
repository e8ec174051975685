// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skleak/harness/verdict"
	"skleak/record"
	"skleak/scenarios"
)

// right is what must be found out about a case, whatever its file expects.
type right struct {
	// verdicts are those that are right; none where there must be no verdict, and
	// trouble says why instead.
	verdicts []record.Verdict
	trouble  string
	holder   string
	// law is a pattern; "" for no law. Rate is from how many packets a second on the
	// socket falls silent, to a tenth; 0 for no such rate.
	law  string
	rate float64
}

// The files of testdata/cases were made from public reports, with addresses and
// names replaced. What their expect says is the reporter's guess.
func rightAnswers() map[string]right {
	clean := right{verdicts: []record.Verdict{record.Clean}}
	return map[string]right{
		"case/dummy-broadcast-60000": clean, "case/dummy-multicast-60000": clean,
		"case/veth-multicast-60000": clean, "case/veth-broadcast-60000": clean,
		"case/olsr-broadcast": clean, "case/rip1-subnet-broadcast": clean, "case/packet-broadcast": clean,
		"case/far-netns-down-port": clean, "case/paused-container": clean,
		"case/afp-write-enobufs": {[]record.Verdict{record.Held, record.Stalled}, "", "qdisc (htb|pfifo) on e0", `^It drains at 12\d packets a second\.`, 123},
		"case/openvpn-sendto-enobufs": {[]record.Verdict{record.Refused}, "", "qdisc tbf on e0",
			`levels off at \d+ bytes .*refused with ENOBUFS: never silent`, 0},
		"case/openvpn-1222-byte": {[]record.Verdict{record.Refused}, "", "qdisc tbf on e0",
			`levels off at \d+ bytes .*refused with ENOBUFS: never silent`, 0},
		"case/oping-slow-line": {[]record.Verdict{record.Refused}, "", "qdisc tbf on e0",
			`drains at \d+ packets a second\. It levels off .*never silent`, 0},
		"case/unresolved-multi": {[]record.Verdict{record.Held}, "", "neighbour 172.27.5.5 on e0", `^A packet is held for [23]\.\d s\.`, 42.7},
		"scion/dead-next-hop":   {[]record.Verdict{record.Stalled}, "", "neighbour 10.9.9.2 on v0", `^A packet is held for [23]\.\d s\.`, 42.7},
		"scion/dead-next-hop-large-buffer": {[]record.Verdict{record.Held}, "", "neighbour 10.9.9.2 on v0",
			`levels off at 2\d+ bytes .*never silent`, 0},
		"case/one-socket-three-links": {[]record.Verdict{record.Stalled}, "", "qdisc tbf on w0", `1 packet in 3 stays, on w0, .*silent after 384 packets`, 0},
		"case/nothing-sent":           {trouble: "no packet was sent"},
	}
}

func caseFiles(t *testing.T) []scenarios.Scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var list []scenarios.Scenario
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		some, err := scenarios.Decode(file, strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, some...)
	}
	return list
}

func TestCases(t *testing.T) {
	want, list := rightAnswers(), caseFiles(t)
	for _, sc := range list {
		if _, ok := want[sc.Name]; !ok {
			t.Errorf("%s has no right answer", sc.Name)
		}
	}
	got := map[string]bool{}
	for e, err := range NewLocal().Run(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case record.EventTrouble:
			t.Errorf("%s: %s", e.Scenario, e.Text)
		case record.EventSkip:
			// A kernel may lack dummy; the same is tried on a veth.
			if !strings.Contains(e.Scenario, "dummy") {
				t.Errorf("%s: skipped: %s", e.Scenario, e.Text)
			}
			got[e.Scenario] = true
		case record.EventTrace:
			got[e.Scenario] = true
			want[e.Scenario].check(t, e.Scenario, *e.Trace)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !got[name] {
			t.Errorf("%s was not run", name)
		}
	}
}

func (w right) check(t *testing.T, name string, trace record.Trace) {
	t.Helper()
	f := verdict.Judge(trace)
	if len(w.verdicts) == 0 {
		if f.Verdict != "" || !strings.Contains(f.Trouble, w.trouble) {
			t.Errorf("%s: %s, trouble %q", name, f.Verdict, f.Trouble)
		}
		return
	}
	if !slices.Contains(w.verdicts, f.Verdict) {
		t.Errorf("%s: %s, want %v: %s %s", name, f.Verdict, w.verdicts, f.Trouble, f.Reason)
		return
	}
	if !regexp.MustCompile("^" + w.holder + "$").MatchString(f.Holder) {
		t.Errorf("%s: held by %q, want %s", name, f.Holder, w.holder)
	}
	if (w.law == "") != (f.Law == "") || !regexp.MustCompile(w.law).MatchString(f.Law) {
		t.Errorf("%s: law %q, want %s", name, f.Law, w.law)
	}
	rate := 0.0
	if f.StallRatePPS != nil {
		rate = *f.StallRatePPS
	}
	if rate < 0.9*w.rate || rate > 1.1*w.rate {
		t.Errorf("%s: silent from %.1f packets a second on, want %.1f", name, rate, w.rate)
	}
}
