// SPDX-License-Identifier: GPL-2.0-only

package watch

import (
	"testing"
	"time"

	"skleak/procsock"
)

const (
	truesize = 768
	sndbuf   = 425984
)

// looks takes a look a second at one socket, whose charge is so many bytes.
func looks(n int, charge func(second int) int64) Look {
	m, at := NewModel(), time.Unix(1_700_000_000, 0)
	var last Look
	for i := range n {
		last = m.Take(procsock.Scan{At: at.Add(time.Duration(i) * time.Second), Sockets: []procsock.Socket{{
			Kind: procsock.Raw, Inode: 7, Charge: charge(i), SndBuf: sndbuf, By: procsock.ByMemInfo,
			Owners: []procsock.Owner{{PID: 1, FD: 3, Comm: "ospfd"}},
		}}})
	}
	return last
}

// A Hello a second that stays is a growth, and says when the socket falls silent;
// what comes and goes is none.
func TestGrowth(t *testing.T) {
	tests := []struct {
		name   string
		charge func(second int) int64
		grows  bool
	}{
		{"each Hello stays", func(i int) int64 { return int64(i) * truesize }, true},
		{"one in ten stays", func(i int) int64 { return int64(i/10) * truesize }, true},
		{"nothing is charged", func(int) int64 { return 0 }, false},
		{"a level", func(int) int64 { return 100 * truesize }, false},
		{"all go every ten seconds", func(i int) int64 { return int64(i%10) * truesize }, false},
		{"it goes away", func(i int) int64 { return int64(120-i) * truesize }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := looks(120, test.charge).Sockets[0]
			if (s.Growth != nil) != test.grows {
				t.Fatalf("growth %+v, want growing %t", s.Growth, test.grows)
			}
			if !test.grows {
				if s.LeftSeconds != nil {
					t.Errorf("silent in %g s without a growth", *s.LeftSeconds)
				}
				return
			}
			if s.Growth.Step != truesize {
				t.Errorf("step %d, want %d", s.Growth.Step, truesize)
			}
			want := float64(sndbuf/2-*s.Charge) / s.Growth.BytesPerSecond
			if s.LeftSeconds == nil || *s.LeftSeconds < 0.9*want || *s.LeftSeconds > 1.1*want {
				t.Errorf("silent in %v s, want about %g", s.LeftSeconds, want)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	full := int64(278 * truesize)
	for _, test := range []struct {
		charge int64
		silent bool
	}{{full, true}, {sndbuf/2 - 2, false}, {sndbuf/2 - 1, true}, {0, false}} {
		look := looks(3, func(int) int64 { return test.charge })
		s := look.Sockets[0]
		if s.Silent() != test.silent || (s.BlockedSince != nil) != test.silent {
			t.Errorf("charge %d: silent %t since %v, want %t", test.charge, s.Silent(), s.BlockedSince, test.silent)
		}
		if got := len(look.Alarms(1)); (got == 1) != test.silent {
			t.Errorf("charge %d: %d alarms", test.charge, got)
		}
	}
}

// What cannot be read is not known, and no alarm.
func TestUnknown(t *testing.T) {
	m := NewModel()
	look := m.Take(procsock.Scan{At: time.Unix(1, 0), Sockets: []procsock.Socket{{Kind: procsock.Packet, Inode: 9, Charge: procsock.Unknown}}})
	if s := look.Sockets[0]; s.Charge != nil || s.Share != nil || s.Writable != nil || len(look.Alarms(0)) != 0 {
		t.Errorf("%+v of an unknown charge", s)
	}
}
