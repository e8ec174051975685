// SPDX-License-Identifier: GPL-2.0-only

package story

import (
	"fmt"
	"slices"
	"strings"

	"skleak/blame"
)

// Claim is one thing that must hold, with its numbers.
type Claim struct {
	Holds bool   `json:"holds"`
	Text  string `json:"text"`
}

// Holds says whether all claims do.
func (s *Story) Holds() bool {
	return len(s.Claims) > 0 && !slices.ContainsFunc(s.Claims, func(c Claim) bool { return !c.Holds })
}

func (s *Story) claim(holds bool, format string, args ...any) {
	s.Claims = append(s.Claims, Claim{holds, fmt.Sprintf(format, args...)})
}

// quiet is how many of the last looks must have seen no Hello.
const quiet = 4

// Judge checks what must hold of the variant.
func (s *Story) Judge(v Variant) {
	switch v.Expected {
	case Silence:
		s.silence()
	case Nothing:
		s.nothing(v)
	case OwnSocket:
		s.ownSocket()
	}
	s.claim(s.Ping == "answered", "a ping of the second router is %s: it has a socket of its own", s.Ping)
}

func (s *Story) last() Sample { return s.Samples[len(s.Samples)-1] }

// sent is how many Hellos went into a link by a look.
func (a Sample) sent(link string) int { return a.Packets["r1-"+link] }

// sndbuf is the send buffer that blame read, in bytes.
func (s *Story) sndbuf() int64 {
	if s.After == nil || len(s.After.Sockets) == 0 {
		return 0
	}
	return s.After.Sockets[0].SndBuf
}

func (s *Story) silence() {
	end := s.last()
	hellos, charge := end.sent("dns0"), end.Charge()
	each := int64(0)
	if hellos > 0 {
		each = charge / int64(hellos)
	}
	s.claim(hellos > 0 && charge == each*int64(hellos) && each > 0,
		"the charge is %d bytes: %d Hellos into dns0 of %d bytes each, and nothing for the %d into v0%s", charge, hellos, each, end.sent("v0"), s.card(end))
	half := s.sndbuf() / 2
	s.claim(half > 0 && charge+1 >= half && charge-each < half, "not writable any more: half of the send buffer of %d is %d, which the Hello before was below", s.sndbuf(), half)
	s.claim(s.stopped(), "Hellos stopped on every link: %s at the end and %d looks before", counts(end), quiet-1)
	s.claim(s.Calls["sendmsg"] == 0 && waits(s.Calls) > 0, "in the last two seconds it waited %d times and called sendmsg %d times", waits(s.Calls), s.Calls["sendmsg"])
	s.claim(end.RSS > s.Samples[0].RSS, "its memory grew from %d to %d KiB: what it cannot send it keeps", s.Samples[0].RSS, end.RSS)
	s.told()
	s.named("before", s.Before, false)
	s.named("after", s.After, true)
	if s.Cured != nil {
		s.claim(s.Cured.Charge() == 0 && s.Cured.Packets["r2-v1"] > end.Packets["r2-v1"],
			"iodined ended: charge %d, and the second router has %d Hellos after %d", s.Cured.Charge(), s.Cured.Packets["r2-v1"], end.Packets["r2-v1"])
	} else {
		s.claim(false, "the story did not come to its cure")
	}
}

// waits counts the system calls that wait.
func waits(calls map[string]int) (n int) {
	for _, name := range []string{"poll", "ppoll", "select", "pselect6", "epoll_wait"} {
		n += calls[name]
	}
	return n
}

// card tells of the Hellos into the card.
func (s *Story) card(end Sample) string {
	if s.Card == "" {
		return ""
	}
	return fmt.Sprintf(" and the %d into %s (%s)", end.sent(s.Card), s.Card, s.Driver)
}

func counts(a Sample) string {
	var parts []string
	for name, n := range a.Packets {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// stopped: the last looks have the same counts, and not none.
func (s *Story) stopped() bool {
	if len(s.Samples) < quiet {
		return false
	}
	end := s.last()
	for _, a := range s.Samples[len(s.Samples)-quiet:] {
		for name, n := range end.Packets {
			if a.Packets[name] != n || n == 0 {
				return false
			}
		}
	}
	return true
}

// told: watch gave its alarm while the socket was writable, with time left.
func (s *Story) told() {
	if s.Watch == nil || len(s.Watch.Sockets) == 0 {
		s.claim(false, "skleak watch gave no alarm")
		return
	}
	w := s.Watch.Sockets[0]
	left := 0.0
	if w.LeftSeconds != nil {
		left = *w.LeftSeconds
	}
	s.claim(!w.Silent() && left > 0, "skleak watch gave its alarm at %.1f s, at half of the way: silent in %.0f s, it said", s.WatchedAt, left)
}

func (s *Story) named(when string, f *blame.Finding, silent bool) {
	if f == nil {
		s.claim(false, "skleak blame said nothing %s the silence", when)
		return
	}
	names, acquitted := []string{}, true
	for _, h := range f.Holders {
		names = append(names, h.Name)
	}
	for _, l := range f.Links {
		acquitted = acquitted && (l.Link == "dns0") == l.Holds && l.Holds != l.Acquitted
	}
	s.claim(f.Silent == silent && len(f.Holders) == 1 && f.Holders[0].Link == "dns0" && acquitted && len(f.Links) > 1,
		"skleak blame %s the silence: held by %s (by %s), the other links clear: %s", when, strings.Join(names, ", "), f.By, f.Reason)
}

func (s *Story) nothing(v Variant) {
	end, most := s.last(), int64(0)
	for _, a := range s.Samples {
		most = max(most, a.Charge())
	}
	middle := s.Samples[len(s.Samples)/2]
	s.claim(end.Charge() == 0, "the charge is %d bytes after %.0f s, and was %d at the most", end.Charge(), end.At-s.Samples[0].At, most)
	s.claim(end.Packets["r2-v1"] > middle.Packets["r2-v1"] && middle.Packets["r2-v1"] > 0,
		"Hellos flow: %d at the second router, %d at half time", end.Packets["r2-v1"], middle.Packets["r2-v1"])
	if v.Passive {
		s.claim(end.sent("dns0") == 0, "passive-interface: %d Hellos into dns0", end.sent("dns0"))
	} else if v.Iodined {
		s.claim(end.sent("dns0") > 0, "%d Hellos went into dns0, which nobody reads", end.sent("dns0"))
	}
}

func (s *Story) ownSocket() {
	end := s.last()
	middle := s.Samples[len(s.Samples)/2]
	grown := 0
	for _, c := range end.Charges {
		if c > 0 {
			grown++
		}
	}
	s.claim(grown == 1 && len(end.Charges) > 1, "of its %d raw sockets one is charged, with %d bytes for %d Hellos into dns0", len(end.Charges), end.Charge(), end.sent("dns0"))
	s.claim(end.Packets["r2-v1"] > middle.Packets["r2-v1"], "Hellos flow on the others: %d at the second router, %d at half time", end.Packets["r2-v1"], middle.Packets["r2-v1"])
}
