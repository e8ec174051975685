// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"strings"
	"testing"

	"skleak/record"
)

// countedBy is a quiet guest's count: 1000 before, then so many more after the
// experiment and after each further burst.
func countedBy(by string, more ...int64) record.Trace {
	c := record.SkbCount{By: by, Before: 1000, After: 1000 + more[0], Sent: 3000}
	n := c.After
	for _, m := range more[1:] {
		n += m
		c.Again = append(c.Again, record.SkbBurst{Sent: 3000, After: n})
	}
	return record.Trace{
		Sent: 3000, Planned: 3000, Truesize: 832, Settle: record.Reading{Writable: true},
		SocketsBefore: -1, SocketsAfter: -1, Quiet: true, Orphans: &c,
	}
}

func TestOrphansThatGrow(t *testing.T) {
	tests := []struct {
		name    string
		by      string
		more    []int64
		want    record.Verdict
		orphans string
		// goesOn: one more burst would tell more.
		goesOn bool
	}{
		{"nothing", bySlab, []int64{0}, record.Clean, "0", false},
		{"fewer than before", bySlab, []int64{-584}, record.Clean, "0", false},
		{"too few to look again", bySlab, []int64{7}, record.Clean, "7", false},
		{"not looked again", bySlab, []int64{30}, record.Clean, "30", true},
		{"a cache that filled", bySlab, []int64{56, -5}, record.Clean, "0", false},
		{"a cache that filled twice", bySlab, []int64{30, 32, 2}, record.Clean, "2", false},
		{"all that a cache takes", bySlab, []int64{16, 16, 16, 16, 0}, record.Clean, "0", false},
		{"one in a hundred, not yet plain", bySlab, []int64{30, 30, 30}, record.Clean, "30", true},
		{"one in a hundred", bySlab, []int64{30, 30, 30, 36}, record.Orphaned, "30", false},
		{"one in three hundred", bySlab, []int64{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, record.Orphaned, "10", false},
		{"once only", bySlab, []int64{300}, record.Orphaned, "300", false},
		{"a rough count", "slabinfo", []int64{30, 30, 30, 36}, record.Clean, "30", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := countedBy(tt.by, tt.more...)
			f := Judge(tr)
			if f.Verdict != tt.want || tt.by == bySlab && f.Orphans != tt.orphans {
				t.Errorf("%s with %s, want %s with %s", f.Verdict, f.Orphans, tt.want, tt.orphans)
			}
			if got := OrphansUnsettled(*tr.Orphans); got != tt.goesOn {
				t.Errorf("another burst: %v", got)
			}
			if len(tt.more) > 1 && tt.want == record.Orphaned && !strings.Contains(f.Reason, "more bursts left") {
				t.Errorf("the reason does not tell of the bursts: %q", f.Reason)
			}
		})
	}
}

// A figure that is not of a quiet machine is none, whatever it is.
func TestOrphansOfABusyMachine(t *testing.T) {
	tr := countedBy(bySlab, 3000)
	tr.Quiet = false
	if f := Judge(tr); f.Verdict != record.Clean || f.Orphans != "not checked" {
		t.Errorf("%s with %s", f.Verdict, f.Orphans)
	}
}
