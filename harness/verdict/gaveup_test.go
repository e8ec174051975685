// SPDX-License-Identifier: GPL-2.0-only

package verdict

import (
	"testing"

	"skleak/record"
)

func TestGaveUpIsTrouble(t *testing.T) {
	base := record.Trace{
		Planned: 3000, Truesize: 832, SocketsBefore: 1, SocketsAfter: 1,
		Settle:  record.Reading{Writable: true, PerSocket: []uint32{0}},
		Sockets: []record.SocketTrace{{SndBuf: 212992, PacketsToStall: -1}},
	}
	for _, c := range []struct {
		name    string
		sent    int
		blocked int
		refused map[string]int
		trouble bool
	}{
		{"all sent", 3000, 0, nil, false},
		{"blocked and went on", 3000, 7, nil, false},
		{"gave up", 147, 1, nil, true},
		{"cut short by its duration", 147, 0, nil, false},
		{"the rest was refused", 2000, 1, map[string]int{"ENOBUFS": 1000}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := base
			tr.Sent, tr.Blocked, tr.Refused = c.sent, c.blocked, c.refused
			f := Judge(tr)
			if (f.Trouble != "") != c.trouble {
				t.Errorf("trouble %q, want any: %v", f.Trouble, c.trouble)
			}
			if !c.trouble && f.Verdict != record.Clean {
				t.Errorf("%s, want clean", f.Verdict)
			}
		})
	}
}

func TestWarningInAGuestFails(t *testing.T) {
	tr := record.Trace{
		Sent: 10, Truesize: 832, SocketsBefore: 1, SocketsAfter: 1, Warnings: []string{"WARNING: CPU: 0 PID: 1 at lib/refcount.c:28"},
		Settle:  record.Reading{Writable: true, PerSocket: []uint32{0}},
		Sockets: []record.SocketTrace{{SndBuf: 212992, PacketsToStall: -1}},
	}
	expect := []record.Verdict{record.Clean}
	if r := Result("f/x", expect, nil, tr); r.Status != record.Pass || len(r.Warnings) != 1 {
		t.Errorf("on a host: %s with %d warnings, want pass with one", r.Status, len(r.Warnings))
	}
	tr.Quiet = true
	if r := Result("f/x", expect, nil, tr); r.Status != record.Fail {
		t.Errorf("in a guest: %s, want fail", r.Status)
	}
}

func TestLateLookIsTrouble(t *testing.T) {
	for _, c := range []struct {
		name    string
		stall   int
		late    int64
		trouble bool
	}{
		{"full, looked at once", 128, 600_000_000, false},
		{"full, looked late", 128, 3_500_000_000, true},
		{"never full, looked late", -1, 3_500_000_000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Judge(record.Trace{
				Planned: 256, Sent: 256, Truesize: 832, SocketsBefore: 1, SocketsAfter: 1, LastSendNs: 1000,
				Settle:  record.Reading{AtNs: 1000 + c.late, Writable: true, PerSocket: []uint32{0}},
				Sockets: []record.SocketTrace{{SndBuf: 212992, PacketsToStall: c.stall}},
			})
			if (f.Trouble != "") != c.trouble {
				t.Errorf("trouble %q, want any: %v", f.Trouble, c.trouble)
			}
		})
	}
}
